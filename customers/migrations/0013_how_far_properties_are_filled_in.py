from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_decisions_about_possible_merges")]

    operations = [
        migrations.AddField(
            model_name="propertykey",
            name="backfilled_upto",
            field=models.BigIntegerField(null=True),
        ),
    ]

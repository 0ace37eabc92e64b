from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0009_how_customers_were_won")]

    operations = [
        migrations.AddField(model_name="scoring", name="next_told", field=models.BigIntegerField(null=True)),
    ]

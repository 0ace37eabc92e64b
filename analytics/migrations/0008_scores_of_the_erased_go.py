from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0007_exports_as_workbooks")]

    operations = [
        migrations.AddField(
            model_name="scoring",
            name="erasures",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]

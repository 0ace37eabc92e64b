from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_experiments")]

    operations = [migrations.AddField("experiment", "told", models.JSONField(null=True))]

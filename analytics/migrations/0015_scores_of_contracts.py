from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0014_figures_that_rates_move")]

    operations = [migrations.AddField("score", "renewals", models.IntegerField(null=True))]

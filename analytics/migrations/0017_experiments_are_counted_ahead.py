"""What experiments say, counted before anybody asks; `manage.py count_experiments` fills it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0016_ways_to_every_order"),
        ("campaigns", "0005_results_are_counted_after_the_end"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExperimentCount",
            fields=[
                (
                    "experiment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="campaigns.experiment",
                    ),
                ),
                ("until_at", models.DateTimeField()),
                ("counted_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
                ("state", models.CharField(max_length=60)),
                ("types", models.JSONField()),
                ("metrics", models.JSONField()),
            ],
        ),
    ]

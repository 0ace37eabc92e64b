"""What rules were told of scores, a row per profile and change."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0021_hours_of_support")]

    operations = [
        migrations.CreateModel(
            name="ScoreStep",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "profile", "set_at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.profile",
                    ),
                ),
                ("set_at", models.DateTimeField()),
                ("alive", models.SmallIntegerField()),
                ("risk", models.SmallIntegerField()),
                ("worth", models.SmallIntegerField()),
                ("recency", models.SmallIntegerField()),
                ("frequency", models.SmallIntegerField()),
                ("monetary", models.SmallIntegerField()),
            ],
        ),
    ]

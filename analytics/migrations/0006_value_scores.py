"""Scores of the value models, a row per customer and scoring. The table that stood ready for them was never filled."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0005_exports"),
        ("customers", "0008_who_is_anonymous"),
    ]

    operations = [
        migrations.DeleteModel(name="Score"),
        migrations.CreateModel(
            name="Scoring",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("as_of", models.DateField()),
                ("state", models.CharField(choices=[("started", "Started"), ("done", "Done")], max_length=10)),
                ("basis", models.TextField()),
                ("document", models.JSONField(default=dict)),
                ("next_customer", models.BigIntegerField(default=0)),
                ("customers", models.BigIntegerField(default=0)),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["started", "done"])), name="scoring_state_is_known"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "started")), fields=("state",), name="one_scoring_is_under_way"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Score",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "scoring", "customer", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "scoring",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="analytics.scoring",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                ("alive", models.FloatField(null=True)),
                ("risk", models.FloatField(null=True)),
                ("worth_12", models.BigIntegerField(null=True)),
                ("worth_24", models.BigIntegerField(null=True)),
                ("worth_36", models.BigIntegerField(null=True)),
                ("alive_step", models.SmallIntegerField()),
                ("risk_step", models.SmallIntegerField()),
                ("worth_step", models.SmallIntegerField()),
                ("silent_days", models.IntegerField()),
                ("orders", models.IntegerField()),
                ("revenue", models.BigIntegerField()),
                ("rfm", models.SmallIntegerField()),
            ],
        ),
    ]

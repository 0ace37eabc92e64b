"""How each customer was won, and sums of it: credits of channels, steps of paths, cohorts."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


def _key(*fields: str) -> models.CompositePrimaryKey:
    return models.CompositePrimaryKey(*fields, blank=True, editable=False, primary_key=True, serialize=False)


def _list(of: models.Field) -> django.contrib.postgres.fields.ArrayField:  # type: ignore[type-arg]
    return django.contrib.postgres.fields.ArrayField(base_field=of, size=None)


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0008_scores_of_the_erased_go"),
        ("customers", "0018_searches_for_duplicates"),
    ]

    operations = [
        migrations.CreateModel(
            name="Acquired",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("day", models.DateField()),
                ("is_paying", models.BooleanField()),
                ("revenue", models.BigIntegerField()),
                ("value", models.BigIntegerField()),
                ("channels", _list(models.SmallIntegerField())),
                ("ages", _list(models.IntegerField())),
                ("months", _list(models.SmallIntegerField())),
                ("amounts", _list(models.BigIntegerField())),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("is_paying", True)), fields=["day"], name="acquired_on_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditDay",
            fields=[
                ("pk", _key("lookback", "model", "day", "channel")),
                ("lookback", models.SmallIntegerField()),
                ("model", models.SmallIntegerField()),
                ("day", models.DateField()),
                ("channel", models.SmallIntegerField()),
                ("customers", models.BigIntegerField()),
                ("conversions", models.BigIntegerField()),
                ("revenue", models.BigIntegerField()),
                ("value", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="PathStep",
            fields=[
                ("pk", _key("lookback", "day", "source", "target")),
                ("lookback", models.SmallIntegerField()),
                ("day", models.DateField()),
                ("source", models.SmallIntegerField()),
                ("target", models.SmallIntegerField()),
                ("steps", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="CohortMonth",
            fields=[
                ("pk", _key("month", "later")),
                ("month", models.IntegerField()),
                ("later", models.SmallIntegerField()),
                ("revenue", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="CohortDraw",
            fields=[
                ("month", models.IntegerField(primary_key=True, serialize=False)),
                ("customers", models.BigIntegerField()),
                ("value", models.BigIntegerField()),
                ("drawn_customers", _list(models.BigIntegerField())),
                ("drawn_value", _list(models.BigIntegerField())),
            ],
        ),
    ]

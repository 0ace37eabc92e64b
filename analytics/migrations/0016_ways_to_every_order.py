"""The touches before every order, beside those before first ones; counted by the next `manage.py fill_days`, which counts
how customers were won anew."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

_COUNT_ANEW = "DELETE FROM analytics_counting WHERE statistic = 'acquisition'"


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0015_scores_of_contracts"),
        ("customers", "0001_schema"),
    ]

    operations = [
        migrations.CreateModel(
            name="OrderPath",
            fields=[
                ("order", models.BigIntegerField(primary_key=True, serialize=False)),
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
                ("day", models.DateField()),
                ("revenue", models.BigIntegerField()),
                (
                    "channels",
                    django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), size=None),
                ),
                ("ages", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer"], name="order_path_of_customer"),
                    models.Index(fields=["day"], name="order_path_on_day"),
                ],
            },
        ),
        migrations.RunSQL(_COUNT_ANEW, _COUNT_ANEW),
    ]

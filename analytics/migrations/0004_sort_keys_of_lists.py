"""What lists of customers are sorted by; filled by `manage.py fill_days`."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0003_members_and_falls"),
        ("customers", "0008_who_is_anonymous"),
    ]

    operations = [
        migrations.CreateModel(
            name="Listed",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="listed",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("is_anonymous", models.BooleanField()),
                ("last_seen", models.BigIntegerField()),
                ("orders", models.BigIntegerField()),
                ("revenue", models.BigIntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["is_anonymous", "last_seen", "customer"], name="listed_by_last_seen"),
                    models.Index(fields=["is_anonymous", "orders", "customer"], name="listed_by_orders"),
                    models.Index(fields=["is_anonymous", "revenue", "customer"], name="listed_by_revenue"),
                ],
            },
        ),
    ]

"""Amounts of stored touchpoints that are read anew, and what they were before."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0025_bodies_lie_together"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name="amountchange", name="amount_before", field=models.BigIntegerField(null=True)),
        migrations.CreateModel(
            name="Rereading",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("names", models.JSONField()),
                ("change", models.IntegerField(null=True)),
                ("next_touchpoint", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("looked_at", models.BigIntegerField(default=0)),
                ("changed", models.BigIntegerField(default=0)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]

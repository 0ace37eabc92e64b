"""Converting what no exchange rate was known for, and what was converted."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0015_types_are_mapped_by_hand"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AmountChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("amount", models.BigIntegerField()),
                ("recorded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Conversion",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("currency", models.CharField(max_length=3)),
                ("next_touchpoint", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("looked_at", models.BigIntegerField(default=0)),
                ("converted", models.BigIntegerField(default=0)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True, default="")),
            ],
        ),
        migrations.AddField(
            model_name="amountchange",
            name="profile",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.profile",
            ),
        ),
        migrations.AddField(
            model_name="amountchange",
            name="touchpoint",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.touchpoint",
            ),
        ),
        migrations.AddField(
            model_name="conversion",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="amountchange",
            index=models.Index(fields=["recorded_at"], name="amount_changed"),
        ),
        migrations.AddConstraint(
            model_name="conversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("failed_at", None), ("finished_at", None)),
                fields=("currency",),
                name="one_conversion_of_a_currency_runs_at_a_time",
            ),
        ),
    ]

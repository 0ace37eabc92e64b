"""Histories in narrow columns, strung together by ranges of customers; filled by `manage.py fill_days`."""

import django.db.models.deletion
from django.db import migrations, models

# Whole columns are read at once: compressing them would cost more time than reading them takes.
_COLUMNS = {
    "analytics_stagepack": ("customers", "instants", "stages"),
    "analytics_begunpack": ("customers", "touches", "signups"),
    "analytics_soldpack": ("customers", "instants", "amounts", "products", "purchases"),
}


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0012_reports"),
        ("lifecycle", "0004_when_it_was_known"),
    ]

    operations = [
        migrations.CreateModel(
            name="BegunPack",
            fields=[
                ("part", models.IntegerField(primary_key=True, serialize=False)),
                ("customers", models.BinaryField()),
                ("touches", models.BinaryField()),
                ("signups", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="SoldPack",
            fields=[
                ("part", models.IntegerField(primary_key=True, serialize=False)),
                ("customers", models.BinaryField()),
                ("instants", models.BinaryField()),
                ("amounts", models.BinaryField()),
                ("products", models.BinaryField()),
                ("purchases", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="StagePack",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "version", "part", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("part", models.IntegerField()),
                ("customers", models.BinaryField()),
                ("instants", models.BinaryField()),
                ("stages", models.BinaryField()),
                (
                    "version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="lifecycle.version",
                    ),
                ),
            ],
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} " + ", ".join(f"ALTER COLUMN {name} SET STORAGE EXTERNAL" for name in columns),
                migrations.RunSQL.noop,
            )
            for table, columns in _COLUMNS.items()
        ),
    ]

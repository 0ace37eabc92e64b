"""Exports may be Parquet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0010_steps_are_told")]

    operations = [
        migrations.AlterField(
            model_name="export",
            name="format",
            field=models.CharField(
                choices=[("csv", "CSV"), ("xlsx", "XLSX"), ("jsonl", "JSONL"), ("parquet", "Parquet")], max_length=8
            ),
        ),
    ]

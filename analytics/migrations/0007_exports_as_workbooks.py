"""Exports may be workbooks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0006_value_scores")]

    operations = [
        migrations.AlterField(
            model_name="export",
            name="format",
            field=models.CharField(choices=[("csv", "CSV"), ("xlsx", "XLSX"), ("jsonl", "JSONL")], max_length=8),
        ),
    ]

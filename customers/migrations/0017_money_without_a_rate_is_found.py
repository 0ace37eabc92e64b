"""An index of the few touchpoints whose money no exchange rate was known for."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # a live table goes on being written while the index is built

    dependencies = [("customers", "0016_money_without_a_rate")]

    operations = [
        AddIndexConcurrently(
            model_name="touchpoint",
            index=models.Index(
                condition=models.Q(("amount", None), ("original_amount__isnull", False)),
                fields=["currency", "id"],
                name="touchpoint_unconverted",
            ),
        ),
    ]

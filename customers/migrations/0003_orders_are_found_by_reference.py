"""An index of order references, so that the search finds whose order a number is."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # a live table goes on being written while the index is built

    dependencies = [("customers", "0002_storage")]

    operations = [
        AddIndexConcurrently(
            model_name="touchpoint",
            index=models.Index(
                condition=models.Q(("order_ref", ""), _negated=True), fields=["order_ref"], name="touchpoint_order"
            ),
        ),
    ]

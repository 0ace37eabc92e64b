"""Few customers were merged into another one, and an index of all the others' NULLs is written with every new customer."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # a live table goes on being written while the index is built

    dependencies = [("customers", "0013_how_far_properties_are_filled_in")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                fields=["merged_into"],
                condition=models.Q(("merged_into__isnull", False)),
                name="customer_merged_into",
            ),
        ),
        migrations.AlterField(
            model_name="customer",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="absorbed",
                to="customers.customer",
            ),
        ),
    ]

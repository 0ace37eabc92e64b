"""An index of the instants at which steps of scores were told, for the first of them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # a live table goes on being written while the index is built

    dependencies = [("customers", "0023_imports_note_companies_and_merges")]

    operations = [
        AddIndexConcurrently(
            model_name="scorestep",
            index=models.Index(fields=["set_at"], name="score_step_told"),
        ),
    ]

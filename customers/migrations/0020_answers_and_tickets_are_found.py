"""An index of the few touchpoints that answer a survey, put one, or speak of a ticket."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # a live table goes on being written while the index is built

    dependencies = [("customers", "0019_steps_are_written_under_their_profile")]

    operations = [
        AddIndexConcurrently(
            model_name="touchpoint",
            index=models.Index(
                condition=models.Q(
                    ("properties__has_any_keys", ["nps", "csat", "ces", "survey", "ticket_ref", "ticket_id"])
                ),
                fields=["occurred_at", "id"],
                name="touchpoint_told",
            ),
        ),
    ]

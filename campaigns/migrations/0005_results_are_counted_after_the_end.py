from django.db import migrations, models

KEPT = """
UPDATE campaigns_experiment
SET counted_at = coalesce((told->>'known_at')::timestamptz, ended_at)
WHERE ended_at IS NOT NULL AND told IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_what_was_told_at_the_end")]

    operations = [
        migrations.AddField("experiment", "counted_at", models.DateTimeField(null=True)),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "experiment",
            models.CheckConstraint(
                condition=models.Q(counted_at=None) | models.Q(ended_at__isnull=False, told__isnull=False),
                name="experiment_is_counted_once_it_has_ended",
            ),
        ),
    ]

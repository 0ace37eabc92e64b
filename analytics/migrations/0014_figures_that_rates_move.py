"""A revision may be caused by money that was converted."""

from django.db import migrations, models

_CAUSES = [
    (1, "a touchpoint as it happened"),
    (2, "time alone"),
    (3, "a touchpoint that arrived late"),
    (4, "an import"),
    (5, "a merge"),
    (6, "an undone merge"),
    (7, "an erasure"),
    (8, "a published rule"),
    (9, "a changed mapping"),
    (10, "a placement by hand"),
    (11, "a new engine"),
    (12, "money that was converted, now that its rate is known"),
]


class Migration(migrations.Migration):
    dependencies = [("analytics", "0013_packed_histories")]

    operations = [
        migrations.RemoveConstraint(model_name="revision", name="revision_cause_is_known"),
        migrations.AlterField(model_name="revision", name="cause", field=models.SmallIntegerField(choices=_CAUSES)),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.CheckConstraint(
                condition=models.Q(cause__in=[number for number, _label in _CAUSES]), name="revision_cause_is_known"
            ),
        ),
    ]

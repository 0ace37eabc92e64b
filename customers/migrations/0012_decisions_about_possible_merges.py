"""Possible merges are decided by people: what was decided, by whom, and how likely a pair is; alike ones have no source."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# What was marked as decided before decisions were kept had been left to be two.
DECIDED = "UPDATE customers_possiblemerge SET decision = 'refused' WHERE decided_at IS NOT NULL"


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0011_erasures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="possiblemerge",
            name="value",
            field=models.CharField(blank=True, default="", max_length=512),
        ),
        migrations.AlterField(
            model_name="possiblemerge",
            name="source",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.source",
            ),
        ),
        migrations.AddField(
            model_name="possiblemerge",
            name="score",
            field=models.SmallIntegerField(db_default=100, default=100),
        ),
        migrations.AddField(
            model_name="possiblemerge",
            name="evidence",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="possiblemerge",
            name="decision",
            field=models.CharField(
                blank=True,
                choices=[("merged", "made one"), ("refused", "are two")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="possiblemerge",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="possiblemerge",
            name="merge",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="customers.merge",
            ),
        ),
        migrations.RunSQL(DECIDED, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="possiblemerge",
            index=models.Index(fields=["other", "profile"], name="possible_merge_of_other"),
        ),
        migrations.AddIndex(
            model_name="possiblemerge",
            index=models.Index(
                condition=models.Q(("decided_at", None)), fields=["score", "id"], name="possible_merge_queue"
            ),
        ),
        migrations.AddIndex(
            model_name="possiblemerge",
            index=models.Index(
                condition=models.Q(("decided_at", None)),
                fields=["kind", "score", "id"],
                name="possible_merge_queue_by_kind",
            ),
        ),
        migrations.AddIndex(
            model_name="possiblemerge",
            index=models.Index(
                condition=models.Q(("decision", ""), _negated=True),
                fields=["decision", "id"],
                name="possible_merge_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="possiblemerge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decision", "")),
                    models.Q(("decided_at__isnull", False), ("decision__in", ["merged", "refused"])),
                    _connector="OR",
                ),
                name="possible_merge_is_open_or_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="possiblemerge",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__gte", 0), ("score__lte", 100)),
                name="possible_merge_score_is_a_percentage",
            ),
        ),
    ]

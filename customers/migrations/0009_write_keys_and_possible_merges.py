"""Sources keep the write key before the last rotation for a while; messages that told nothing but traits are remembered;
people who may be one wait to be looked at."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0008_who_is_anonymous"),
    ]

    operations = [
        migrations.CreateModel(
            name="PossibleMerge",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("value", models.CharField(max_length=512)),
                ("found_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="source",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="source",
            name="update_update",
        ),
        migrations.AddField(
            model_name="source",
            name="former_key_hash",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The key before the last rotation, which opens for a while.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="former_key_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="sourceevent",
            name="former_key_hash",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The key before the last rotation, which opens for a while.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="sourceevent",
            name="former_key_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="traittelling",
            name="message_hash",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="traittelling",
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
        pgtrigger.migrations.AddTrigger(
            model_name="source",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_sourceevent" ("created_at", "currency", "former_key_hash", "former_key_until", "id", "is_simulated", "key", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "shift_days", "time_zone", "write_key_hash") VALUES (NEW."created_at", NEW."currency", NEW."former_key_hash", NEW."former_key_until", NEW."id", NEW."is_simulated", NEW."key", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."revoked_at", NEW."shift_days", NEW."time_zone", NEW."write_key_hash"); RETURN NULL;',
                    hash="0ff60848ececbb55eacd897c00a41743b6335de7",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_83aef",
                    table="customers_source",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="source",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "customers_sourceevent" ("created_at", "currency", "former_key_hash", "former_key_until", "id", "is_simulated", "key", "kind", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "revoked_at", "shift_days", "time_zone", "write_key_hash") VALUES (NEW."created_at", NEW."currency", NEW."former_key_hash", NEW."former_key_until", NEW."id", NEW."is_simulated", NEW."key", NEW."kind", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."revoked_at", NEW."shift_days", NEW."time_zone", NEW."write_key_hash"); RETURN NULL;',
                    hash="0e3f601dc012cb9d9e19af6b5f8b2399b0350761",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_eaaec",
                    table="customers_source",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="traittelling",
            constraint=models.UniqueConstraint(
                condition=models.Q(("message_hash__isnull", False)),
                fields=("source", "message_hash"),
                name="telling_is_stored_once",
            ),
        ),
        migrations.AddField(
            model_name="possiblemerge",
            name="other",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.profile",
            ),
        ),
        migrations.AddField(
            model_name="possiblemerge",
            name="profile",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.profile",
            ),
        ),
        migrations.AddField(
            model_name="possiblemerge",
            name="source",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.source",
            ),
        ),
        migrations.AddIndex(
            model_name="possiblemerge",
            index=models.Index(fields=["kind", "value"], name="possible_merge_evidence"),
        ),
        migrations.AddConstraint(
            model_name="possiblemerge",
            constraint=models.UniqueConstraint(fields=("profile", "other"), name="possible_merge_is_told_once"),
        ),
        migrations.AddConstraint(
            model_name="possiblemerge",
            constraint=models.CheckConstraint(
                condition=models.Q(("profile__lt", models.F("other"))), name="possible_merge_is_of_two_profiles"
            ),
        ),
    ]

"""What a change says of the names that sources send."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lifecycle", "0009_previews_and_publications"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="revision",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="revision",
            name="update_update",
        ),
        migrations.AddField(
            model_name="revision",
            name="mapping",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="revisionevent",
            name="mapping",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="revision",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "lifecycle_revisionevent" ("author_id", "created_at", "id", "mapping", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "sub_rules") VALUES (NEW."author_id", NEW."created_at", NEW."id", NEW."mapping", NEW."note", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."published_at", NEW."sub_rules"); RETURN NULL;',
                    hash="b63f5509bce27483ce05cf7cc23e1113fb18fc1b",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_bc650",
                    table="lifecycle_revision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="revision",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "lifecycle_revisionevent" ("author_id", "created_at", "id", "mapping", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "sub_rules") VALUES (NEW."author_id", NEW."created_at", NEW."id", NEW."mapping", NEW."note", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."published_at", NEW."sub_rules"); RETURN NULL;',
                    hash="1ca022633c1d507dc9c1a04c19231296a6e735a4",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_195e1",
                    table="lifecycle_revision",
                    when="AFTER",
                ),
            ),
        ),
    ]

"""What people said of a name that sources send: where its messages say what an order needs, and when it was said."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0014_merged_customers_alone_are_indexed"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="touchpointtype",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="touchpointtype",
            name="update_update",
        ),
        migrations.AddField(
            model_name="touchpointtype",
            name="mapped_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="touchpointtype",
            name="reads",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="touchpointtypeevent",
            name="mapped_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="touchpointtypeevent",
            name="reads",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="touchpointtype",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_touchpointtypeevent" ("created_at", "id", "mapped_at", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reads", "role") VALUES (NEW."created_at", NEW."id", NEW."mapped_at", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reads", NEW."role"); RETURN NULL;',
                    hash="36a089ee01c4cfe073cc8146b9a9991ec5fc53fd",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_5555c",
                    table="customers_touchpointtype",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="touchpointtype",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "customers_touchpointtypeevent" ("created_at", "id", "mapped_at", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reads", "role") VALUES (NEW."created_at", NEW."id", NEW."mapped_at", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reads", NEW."role"); RETURN NULL;',
                    hash="a7c22b79e58b5bf9192db35d714c5eb70eb57dc3",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_6ab49",
                    table="customers_touchpointtype",
                    when="AFTER",
                ),
            ),
        ),
    ]

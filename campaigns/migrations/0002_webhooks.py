"""Webhooks: who is told of changes, what is to be delivered, and every attempt."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0001_schema"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event", models.CharField(max_length=40)),
                ("type", models.CharField(max_length=40)),
                ("customer", models.BigIntegerField(null=True)),
                ("other", models.BigIntegerField(null=True)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("delivered", "delivered"), ("given_up", "given up")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "forgiven",
                    models.SmallIntegerField(default=0, help_text="Attempts before somebody asked for it once more."),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("due_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("url", models.TextField(verbose_name="address")),
                (
                    "description",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="what it is for"),
                ),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
                (
                    "model_keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                (
                    "segment_keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("takes_history", models.BooleanField(default=False)),
                ("salt", models.CharField(max_length=64)),
                ("fingerprint", models.CharField(max_length=16)),
                ("former_salt", models.CharField(blank=True, default="", max_length=64)),
                ("former_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_because", models.TextField(blank=True, default="")),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("failures", models.IntegerField(default=0, help_text="In a row, over all deliveries.")),
                ("paused_until", models.DateTimeField(blank=True, null=True)),
                ("succeeded_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="EndpointEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("url", models.TextField(verbose_name="address")),
                (
                    "description",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="what it is for"),
                ),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
                (
                    "model_keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                (
                    "segment_keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("takes_history", models.BooleanField(default=False)),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("announcement", models.BigIntegerField()),
                ("merge", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Resending",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                ("asked_by", models.CharField(max_length=254)),
                ("asked_at", models.DateTimeField()),
                (
                    "announcement",
                    models.BigIntegerField(default=0, help_text="The place in the log that was read last."),
                ),
                (
                    "merge",
                    models.BigIntegerField(default=0, help_text="The entry of the log of merges that was read last."),
                ),
                ("until_announcement", models.BigIntegerField()),
                ("until_merge", models.BigIntegerField()),
                ("deliveries", models.BigIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.SmallIntegerField()),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "status",
                    models.SmallIntegerField(help_text="What the other side answered; null: it did not.", null=True),
                ),
                ("trouble", models.CharField(blank=True, default="", max_length=200)),
                ("excerpt", models.TextField(blank=True, default="", help_text="The beginning of the answer.")),
                ("milliseconds", models.IntegerField(null=True)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tries", to="campaigns.delivery"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="delivery",
            name="endpoint",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="campaigns.endpoint",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="endpoint",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "campaigns_endpointevent" ("description", "disabled_at", "events", "model_keys", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "segment_keys", "takes_history", "url") VALUES (NEW."description", NEW."disabled_at", NEW."events", NEW."model_keys", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."segment_keys", NEW."takes_history", NEW."url"); RETURN NULL;',
                    hash="6a2b51fb2a687efd0cc38e4f345dcbd2ed76707b",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_41110",
                    table="campaigns_endpoint",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="endpoint",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."disabled_at" IS DISTINCT FROM (NEW."disabled_at") OR OLD."events" IS DISTINCT FROM (NEW."events") OR OLD."model_keys" IS DISTINCT FROM (NEW."model_keys") OR OLD."segment_keys" IS DISTINCT FROM (NEW."segment_keys") OR OLD."takes_history" IS DISTINCT FROM (NEW."takes_history") OR OLD."url" IS DISTINCT FROM (NEW."url"))',
                    func='INSERT INTO "campaigns_endpointevent" ("description", "disabled_at", "events", "model_keys", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "segment_keys", "takes_history", "url") VALUES (NEW."description", NEW."disabled_at", NEW."events", NEW."model_keys", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."segment_keys", NEW."takes_history", NEW."url"); RETURN NULL;',
                    hash="89ea214019c2eeeb5387f6ea58e341f6ef2e0dcc",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_d6f90",
                    table="campaigns_endpoint",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="endpointevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="endpointevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="url_description_events_model_keys_segment_keys_takes_history_disabled_at_events",
                to="campaigns.endpoint",
            ),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_reading"),
        ),
        migrations.AddField(
            model_name="resending",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="resendings", to="campaigns.endpoint"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="resending",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="campaigns.resending",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(fields=("delivery", "number"), name="attempts_are_numbered"),
        ),
        migrations.AddIndex(
            model_name="resending",
            index=models.Index(condition=models.Q(("done_at", None)), fields=["id"], name="resending_open"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["endpoint", "due_at"], name="delivery_due"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["endpoint", "customer", "id"],
                name="delivery_of_customer",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("other__isnull", False), ("state", "waiting")),
                fields=["endpoint", "other", "id"],
                name="delivery_of_other",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["finished_at"], name="delivery_finished"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("resending", None)),
                fields=("endpoint", "event"),
                name="event_is_planned_once_for_an_endpoint",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "delivered", "given_up"])), name="delivery_state_is_known"
            ),
        ),
    ]

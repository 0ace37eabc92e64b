"""Two migrations as one step, for a new database; what has the steps that it stands for goes on from them.

The state in which they leave a database, to the order of columns; what they did to rows of older databases is not here,
since a new one has none."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import pgtrigger.compiler
from django.db import migrations, models

from clm.lib.tables_at_once import CreateModels


class Migration(migrations.Migration):
    replaces = [("campaigns", "0001_schema"), ("campaigns", "0002_webhooks")]

    initial = True

    dependencies = [
        ("customers", "0001_schema"),
        ("lifecycle", "0001_schema"),
        ("pghistory", "0007_auto_20250421_0444"),
    ]

    operations = [
        CreateModels(
            operations=[
                migrations.CreateModel(
                    name="Attempt",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("number", models.SmallIntegerField()),
                        ("began_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "status",
                            models.SmallIntegerField(
                                help_text="What the other side answered; null: it did not.", null=True
                            ),
                        ),
                        ("trouble", models.CharField(blank=True, default="", max_length=200)),
                        ("excerpt", models.TextField(blank=True, default="", help_text="The beginning of the answer.")),
                        ("milliseconds", models.IntegerField(null=True)),
                        (
                            "delivery",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tries",
                                to="campaigns.delivery",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("delivery", "number"), name="attempts_are_numbered")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Campaign",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.SlugField(help_text="utm_campaign, lower-case.", max_length=100, unique=True)),
                        ("name", models.CharField(max_length=200, verbose_name="name")),
                        (
                            "channel",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="customers.channel",
                            ),
                        ),
                        ("starts_on", models.DateField(blank=True, null=True)),
                        ("ends_on", models.DateField(blank=True, null=True)),
                        (
                            "budget",
                            models.BigIntegerField(
                                blank=True, help_text="In minor units of the reporting currency.", null=True
                            ),
                        ),
                        (
                            "audience",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="campaigns",
                                to="lifecycle.subject",
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ends_on", None),
                                    ("starts_on", None),
                                    ("ends_on__gte", models.F("starts_on")),
                                    _connector="OR",
                                ),
                                name="campaign_ends_on_or_after_its_start",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("budget", None), ("budget__gte", 0), _connector="OR"),
                                name="campaign_budget_is_not_negative",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "campaigns_campaignevent" ("audience_id", "budget", "channel_id", "created_at", "ends_on", "id", "key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on") VALUES (NEW."audience_id", NEW."budget", NEW."channel_id", NEW."created_at", NEW."ends_on", NEW."id", NEW."key", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."starts_on"); RETURN NULL;',
                                    hash="fc268e63953632fb622f4a681d5396076d9c6805",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_5522d",
                                    table="campaigns_campaign",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "campaigns_campaignevent" ("audience_id", "budget", "channel_id", "created_at", "ends_on", "id", "key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on") VALUES (NEW."audience_id", NEW."budget", NEW."channel_id", NEW."created_at", NEW."ends_on", NEW."id", NEW."key", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."starts_on"); RETURN NULL;',
                                    hash="32625110bde52cecb6c0b3b4417ee05b15f7689c",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_f2afa",
                                    table="campaigns_campaign",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CampaignEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="events",
                                to="campaigns.campaign",
                            ),
                        ),
                        (
                            "pgh_context",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pghistory.context",
                            ),
                        ),
                        ("id", models.BigIntegerField()),
                        (
                            "key",
                            models.SlugField(db_index=False, help_text="utm_campaign, lower-case.", max_length=100),
                        ),
                        ("name", models.CharField(max_length=200, verbose_name="name")),
                        (
                            "channel",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="customers.channel",
                            ),
                        ),
                        ("starts_on", models.DateField(blank=True, null=True)),
                        ("ends_on", models.DateField(blank=True, null=True)),
                        (
                            "budget",
                            models.BigIntegerField(
                                blank=True, help_text="In minor units of the reporting currency.", null=True
                            ),
                        ),
                        (
                            "audience",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.subject",
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
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
                            models.SmallIntegerField(
                                default=0, help_text="Attempts before somebody asked for it once more."
                            ),
                        ),
                        ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ("due_at", models.DateTimeField()),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        (
                            "endpoint",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="deliveries",
                                to="campaigns.endpoint",
                            ),
                        ),
                        (
                            "resending",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="campaigns.resending",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "waiting")),
                                fields=["endpoint", "due_at"],
                                name="delivery_due",
                            ),
                            models.Index(
                                condition=models.Q(("state", "waiting")),
                                fields=["endpoint", "customer", "id"],
                                name="delivery_of_customer",
                            ),
                            models.Index(
                                condition=models.Q(("other__isnull", False), ("state", "waiting")),
                                fields=["endpoint", "other", "id"],
                                name="delivery_of_other",
                            ),
                            models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint"),
                            models.Index(fields=["finished_at"], name="delivery_finished"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("resending", None)),
                                fields=("endpoint", "event"),
                                name="event_is_planned_once_for_an_endpoint",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ["waiting", "delivered", "given_up"])),
                                name="delivery_state_is_known",
                            ),
                        ],
                    },
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
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=40), size=None
                            ),
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
                    options={
                        "triggers": [
                            pgtrigger.compiler.Trigger(
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
                            pgtrigger.compiler.Trigger(
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
                        ],
                    },
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
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=40), size=None
                            ),
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
                        (
                            "pgh_context",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="pghistory.context",
                            ),
                        ),
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="url_description_events_model_keys_segment_keys_takes_history_disabled_at_events",
                                to="campaigns.endpoint",
                            ),
                        ),
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
                    options={
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_reading")
                        ],
                    },
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
                            models.BigIntegerField(
                                default=0, help_text="The entry of the log of merges that was read last."
                            ),
                        ),
                        ("until_announcement", models.BigIntegerField()),
                        ("until_merge", models.BigIntegerField()),
                        ("deliveries", models.BigIntegerField(default=0)),
                        ("done_at", models.DateTimeField(null=True)),
                        (
                            "endpoint",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="resendings",
                                to="campaigns.endpoint",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(condition=models.Q(("done_at", None)), fields=["id"], name="resending_open")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Spend",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "channel",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.channel"
                            ),
                        ),
                        (
                            "campaign",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="spend",
                                to="campaigns.campaign",
                            ),
                        ),
                        ("day", models.DateField()),
                        ("amount", models.BigIntegerField(help_text="In minor units of the reporting currency.")),
                        ("original_amount", models.DecimalField(decimal_places=4, max_digits=18)),
                        ("currency", models.CharField(max_length=3)),
                        (
                            "is_paid_media",
                            models.BooleanField(
                                default=True,
                                help_text="Variable spend on media; false for salaries and tools, which only blended CAC counts.",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "spend",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("channel", "campaign", "day", "currency", "is_paid_media"),
                                name="spend_is_entered_once_a_day",
                                nulls_distinct=False,
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("amount__gte", 0)), name="spend_is_not_negative"
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]

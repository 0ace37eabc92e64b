"""Eighteen migrations as one step, for a new database; what has the steps that it stands for goes on from them.

The state in which they leave a database, to the order of columns; what they did to rows of older databases is not here,
since a new one has none."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.operations
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from clm.lib.tables_at_once import CreateModels

# The replay scan is index-only, so the table must stay all-visible: with 20 % of the rows newer than the last vacuum
# it was measured nine times slower. The threshold of inserts is therefore one percent instead of twenty.
TOUCHPOINTS = """
ALTER TABLE customers_touchpoint SET (
    autovacuum_vacuum_insert_scale_factor = 0.01,
    autovacuum_vacuum_insert_threshold = 10000,
    autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE customers_propertyvalue SET (autovacuum_vacuum_insert_scale_factor = 0.01);
-- Stale is a queue: rows live for milliseconds, and dead ones must not pile up before the first live one.
ALTER TABLE customers_stale SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0
);
-- A changed portrait or a moved profile stays on its page where it can.
ALTER TABLE customers_profile SET (fillfactor = 90);
"""

RAW_BODIES = """
CREATE TABLE customers_rawbody (
    received_at timestamptz NOT NULL,
    source_id bigint NOT NULL,
    message_hash uuid NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (received_at, source_id, message_hash)
) PARTITION BY RANGE (received_at);
-- Nothing is lost when nobody made the week's partition in time.
CREATE TABLE customers_rawbody_other PARTITION OF customers_rawbody DEFAULT;
"""


class Migration(migrations.Migration):
    replaces = [
        ("customers", "0001_schema"),
        ("customers", "0002_storage"),
        ("customers", "0003_orders_are_found_by_reference"),
        ("customers", "0004_arrivals_and_moves_of_profiles"),
        ("customers", "0005_trait_tellings"),
        ("customers", "0006_when_tellings_were_recorded"),
        ("customers", "0007_stale_has_one_index"),
        ("customers", "0008_who_is_anonymous"),
        ("customers", "0009_write_keys_and_possible_merges"),
        ("customers", "0010_imports_are_work"),
        ("customers", "0011_erasures"),
        ("customers", "0012_decisions_about_possible_merges"),
        ("customers", "0013_how_far_properties_are_filled_in"),
        ("customers", "0014_merged_customers_alone_are_indexed"),
        ("customers", "0015_types_are_mapped_by_hand"),
        ("customers", "0016_money_without_a_rate"),
        ("customers", "0017_money_without_a_rate_is_found"),
        ("customers", "0018_searches_for_duplicates"),
    ]

    initial = True

    dependencies = [
        ("access", "__first__"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        django.contrib.postgres.operations.TrigramExtension(),
        CreateModels(
            operations=[
                migrations.CreateModel(
                    name="Account",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("key", models.CharField(max_length=512, unique=True)),
                        ("name", models.TextField(blank=True, default="")),
                        ("properties", models.JSONField(blank=True, default=dict)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                ),
                migrations.CreateModel(
                    name="Affiliation",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "account",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="affiliations",
                                to="customers.account",
                            ),
                        ),
                        ("from_at", models.DateTimeField()),
                        ("until_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "profile",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="affiliations",
                                to="customers.profile",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("profile", "account", "from_at"), name="affiliation_starts_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("until_at", None), ("until_at__gt", models.F("from_at")), _connector="OR"
                                ),
                                name="affiliation_ends_after_it_starts",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AmountChange",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("amount", models.BigIntegerField()),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "profile",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.profile",
                            ),
                        ),
                        (
                            "touchpoint",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.touchpoint",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["recorded_at"], name="amount_changed")],
                    },
                ),
                migrations.CreateModel(
                    name="Channel",
                    fields=[
                        ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                        ("key", models.CharField(max_length=60, unique=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="Consent",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("address", models.CharField(max_length=512)),
                        ("channel", models.CharField(max_length=60)),
                        ("purpose", models.CharField(max_length=60)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("granted", "granted"),
                                    ("pending", "waiting for confirmation"),
                                    ("withdrawn", "withdrawn"),
                                    ("refused", "refused by the address"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("source", models.CharField(blank=True, default="", max_length=200)),
                        ("text_version", models.CharField(blank=True, default="", max_length=60)),
                        ("at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "profile",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="consents",
                                to="customers.profile",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                django.db.models.functions.text.Lower("address"),
                                models.F("channel"),
                                models.F("purpose"),
                                name="consent_of_address",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ["granted", "pending", "withdrawn", "refused"])),
                                name="consent_state_is_known",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="consent_is_never_rewritten",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                                    hash="152a02cbcfe81aa98894882a7b5666e5dd1c3530",
                                    operation="UPDATE",
                                    pgid="pgtrigger_consent_is_never_rewritten_15472",
                                    table="customers_consent",
                                    when="BEFORE",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "customers_consentevent" ("address", "at", "channel", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "profile_id", "purpose", "recorded_at", "source", "state", "text_version") VALUES (NEW."address", NEW."at", NEW."channel", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."profile_id", NEW."purpose", NEW."recorded_at", NEW."source", NEW."state", NEW."text_version"); RETURN NULL;',
                                    hash="373c9b6e3250832c28636a25adfccacc82c3ce69",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_e6f8e",
                                    table="customers_consent",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "customers_consentevent" ("address", "at", "channel", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "profile_id", "purpose", "recorded_at", "source", "state", "text_version") VALUES (NEW."address", NEW."at", NEW."channel", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."profile_id", NEW."purpose", NEW."recorded_at", NEW."source", NEW."state", NEW."text_version"); RETURN NULL;',
                                    hash="579a454c7d9b3650329e0665490bbdbbd6386a6e",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_4fa64",
                                    table="customers_consent",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ConsentEvent",
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
                                to="customers.consent",
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
                        ("address", models.CharField(max_length=512)),
                        ("channel", models.CharField(max_length=60)),
                        ("purpose", models.CharField(max_length=60)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("granted", "granted"),
                                    ("pending", "waiting for confirmation"),
                                    ("withdrawn", "withdrawn"),
                                    ("refused", "refused by the address"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("source", models.CharField(blank=True, default="", max_length=200)),
                        ("text_version", models.CharField(blank=True, default="", max_length=60)),
                        ("at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "profile",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="customers.profile",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Conversion",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("currency", models.CharField(max_length=3)),
                        ("next_touchpoint", models.BigIntegerField(default=0)),
                        ("total", models.BigIntegerField(default=0)),
                        ("looked_at", models.BigIntegerField(default=0)),
                        ("converted", models.BigIntegerField(default=0)),
                        ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        ("failed_at", models.DateTimeField(blank=True, null=True)),
                        ("error", models.TextField(blank=True, default="")),
                        (
                            "author",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("failed_at", None), ("finished_at", None)),
                                fields=("currency",),
                                name="one_conversion_of_a_currency_runs_at_a_time",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Customer",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "merged_into",
                            models.ForeignKey(
                                blank=True,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="absorbed",
                                to="customers.customer",
                            ),
                        ),
                        ("name", models.TextField(blank=True, default="", verbose_name="name")),
                        ("email", models.TextField(blank=True, default="", verbose_name="e-mail")),
                        ("phone", models.TextField(blank=True, default="", verbose_name="phone")),
                        ("search_text", models.TextField(blank=True, default="", editable=False)),
                        ("is_anonymous", models.BooleanField(db_default=False, default=False, editable=False)),
                        (
                            "portrayed_at",
                            models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                        ),
                        ("erased_at", models.DateTimeField(editable=False, null=True)),
                    ],
                    options={
                        "indexes": [
                            django.contrib.postgres.indexes.GinIndex(
                                fields=["search_text"], name="customer_search", opclasses=["gin_trgm_ops"]
                            ),
                            models.Index(
                                django.db.models.functions.text.Lower(django.db.models.functions.text.Left("name", 40)),
                                models.F("id"),
                                condition=models.Q(("merged_into", None), models.Q(("name", ""), _negated=True)),
                                name="customer_by_name",
                            ),
                            models.Index(
                                condition=models.Q(("merged_into", None), ("name", "")),
                                fields=["is_anonymous", "id"],
                                name="customer_without_name",
                            ),
                            models.Index(fields=["portrayed_at"], name="customer_portrayed"),
                            models.Index(
                                condition=models.Q(("merged_into__isnull", False)),
                                fields=["merged_into"],
                                name="customer_merged_into",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("merged_into", models.F("id")), _negated=True),
                                name="customer_is_not_merged_into_itself",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DuplicateKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "key", "customer", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("key", models.BigIntegerField()),
                        (
                            "customer",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="DuplicateSearch",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("is_running", models.BooleanField(default=True)),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        ("progress", models.JSONField(default=dict)),
                        ("counts", models.JSONField(default=dict)),
                        (
                            "author",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "duplicate searches",
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("is_running", True)),
                                fields=("is_running",),
                                name="one_search_for_duplicates_runs_at_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("finished_at", None), ("is_running", True)),
                                    models.Q(("finished_at__isnull", False), ("is_running", False)),
                                    _connector="OR",
                                ),
                                name="search_for_duplicates_runs_or_is_finished",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ErasedIdentifier",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        ("erased_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("met", models.BigIntegerField(db_default=0, default=0)),
                        ("met_at", models.DateTimeField(blank=True, null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="Erasure",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        ("wanted", models.JSONField(default=list)),
                        ("progress", models.JSONField(default=dict)),
                        ("counts", models.JSONField(default=dict)),
                        (
                            "author",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("finished_at", None)), fields=["id"], name="erasure_unfinished"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("finished_at", None), ("wanted", []), _connector="OR"),
                                name="finished_erasure_knows_no_names",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ExchangeRate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("currency", models.CharField(max_length=3)),
                        ("day", models.DateField()),
                        ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
                        ("source", models.CharField(blank=True, default="", max_length=100)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("currency", "day"), name="exchange_rate_is_one_per_day"),
                            models.CheckConstraint(
                                condition=models.Q(("rate__gt", 0)), name="exchange_rate_is_above_zero"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Identity",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("kind", models.CharField(max_length=40)),
                        ("value", models.CharField(max_length=512)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "profile",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="identities",
                                to="customers.profile",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "identities",
                        "constraints": [
                            models.UniqueConstraint(fields=("kind", "value"), name="identity_belongs_to_one_profile"),
                            models.CheckConstraint(
                                condition=models.Q(("value", ""), _negated=True), name="identity_has_a_value"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Import",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("file_name", models.TextField()),
                        ("file_sha256", models.CharField(max_length=64)),
                        ("file_bytes", models.BigIntegerField()),
                        ("mapping", models.JSONField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "being prepared"),
                                    ("checking", "being tried"),
                                    ("waiting", "waiting"),
                                    ("running", "running"),
                                    ("paused", "paused"),
                                    ("done", "done"),
                                    ("failed", "failed"),
                                    ("cancelled", "stopped"),
                                    ("undoing", "being taken back"),
                                    ("undone", "taken back"),
                                ],
                                default="waiting",
                                max_length=10,
                            ),
                        ),
                        ("progress", models.JSONField(default=dict, help_text="Where to go on after a stop.")),
                        ("lines_read", models.BigIntegerField(default=0)),
                        ("lines_used", models.BigIntegerField(default=0)),
                        (
                            "set_aside",
                            models.JSONField(
                                default=dict,
                                help_text='By reason: {"lines": n, "amount": minor units, "ranges": [[first, last], ...]}.',
                            ),
                        ),
                        (
                            "counts",
                            models.JSONField(
                                default=dict, help_text="Touchpoints new, repeated and conflicting; customers new."
                            ),
                        ),
                        ("error", models.TextField(blank=True, default="")),
                        (
                            "author",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="imports",
                                to="customers.source",
                            ),
                        ),
                        ("checked", models.JSONField(blank=True, null=True)),
                        (
                            "kind",
                            models.CharField(
                                choices=[("orders", "order lines"), ("rows", "people"), ("events", "messages")],
                                default="orders",
                                max_length=10,
                            ),
                        ),
                        ("preset", models.CharField(blank=True, default="", max_length=60)),
                        ("told_at", models.DateTimeField(blank=True, null=True)),
                        ("undone_at", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        [
                                            "draft",
                                            "checking",
                                            "waiting",
                                            "running",
                                            "paused",
                                            "done",
                                            "failed",
                                            "cancelled",
                                            "undoing",
                                            "undone",
                                        ],
                                    )
                                ),
                                name="import_state_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("kind__in", ["orders", "rows", "events"])),
                                name="import_kind_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ImportBrought",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "touchpoints",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                        (
                            "tellings",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                        (
                            "identities",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                        (
                            "consents",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                        (
                            "affiliations",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                        ("undone_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "from_import",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="brought",
                                to="customers.import",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "import brought",
                    },
                ),
                migrations.CreateModel(
                    name="ImportContent",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("number", models.IntegerField()),
                        ("packed", models.BinaryField()),
                        (
                            "from_import",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="content",
                                to="customers.import",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("from_import", "number"), name="import_content_has_one_part_of_a_number"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ImportRows",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("number", models.IntegerField()),
                        ("rows", models.IntegerField()),
                        ("packed", models.BinaryField()),
                        (
                            "from_import",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="rows",
                                to="customers.import",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "import rows",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("from_import", "number"), name="import_rows_have_one_part_of_a_number"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Installation",
                    fields=[
                        ("id", models.SmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                        ("name", models.CharField(default="CLM", max_length=100, verbose_name="organisation")),
                        (
                            "lapse_days",
                            models.PositiveIntegerField(
                                default=180,
                                help_text="L in rule documents.",
                                verbose_name="days without activity until a customer lapses",
                            ),
                        ),
                        (
                            "time_zone",
                            models.CharField(default="UTC", max_length=64, verbose_name="business time zone"),
                        ),
                        ("currency", models.CharField(default="EUR", max_length=3, verbose_name="reporting currency")),
                        ("minor_digits", models.SmallIntegerField(default=2, verbose_name="digits of the minor unit")),
                        (
                            "news_hours",
                            models.PositiveIntegerField(
                                default=24,
                                help_text="Campaigns and webhooks are told of a change only within this window.",
                                verbose_name="hours after which a change is no longer news",
                            ),
                        ),
                        (
                            "margin_percent",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=5,
                                null=True,
                                verbose_name="gross margin, percent",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_installation"),
                            models.CheckConstraint(
                                condition=models.Q(("lapse_days__gte", 1), ("lapse_days__lte", 3660)),
                                name="lapse_days_are_1_to_3660",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("minor_digits__gte", 0), ("minor_digits__lte", 4)),
                                name="minor_digits_are_0_to_4",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                                name="reporting_currency_is_iso_4217",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("margin_percent", None),
                                    models.Q(("margin_percent__gte", 0), ("margin_percent__lte", 100)),
                                    _connector="OR",
                                ),
                                name="margin_is_a_percentage",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "customers_installationevent" ("created_at", "currency", "id", "lapse_days", "margin_percent", "minor_digits", "name", "news_hours", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "time_zone") VALUES (NEW."created_at", NEW."currency", NEW."id", NEW."lapse_days", NEW."margin_percent", NEW."minor_digits", NEW."name", NEW."news_hours", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."time_zone"); RETURN NULL;',
                                    hash="9dd7c65d538263bd5ce21da8a31ef15fc920192c",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_3ad60",
                                    table="customers_installation",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "customers_installationevent" ("created_at", "currency", "id", "lapse_days", "margin_percent", "minor_digits", "name", "news_hours", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "time_zone") VALUES (NEW."created_at", NEW."currency", NEW."id", NEW."lapse_days", NEW."margin_percent", NEW."minor_digits", NEW."name", NEW."news_hours", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."time_zone"); RETURN NULL;',
                                    hash="095e00cfabd4009ef4467b89d541e0ad44cdf920",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_d8111",
                                    table="customers_installation",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="InstallationEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.SmallIntegerField(default=1, editable=False, serialize=False)),
                        ("name", models.CharField(default="CLM", max_length=100, verbose_name="organisation")),
                        (
                            "lapse_days",
                            models.PositiveIntegerField(
                                default=180,
                                help_text="L in rule documents.",
                                verbose_name="days without activity until a customer lapses",
                            ),
                        ),
                        (
                            "time_zone",
                            models.CharField(default="UTC", max_length=64, verbose_name="business time zone"),
                        ),
                        ("currency", models.CharField(default="EUR", max_length=3, verbose_name="reporting currency")),
                        ("minor_digits", models.SmallIntegerField(default=2, verbose_name="digits of the minor unit")),
                        (
                            "news_hours",
                            models.PositiveIntegerField(
                                default=24,
                                help_text="Campaigns and webhooks are told of a change only within this window.",
                                verbose_name="hours after which a change is no longer news",
                            ),
                        ),
                        (
                            "margin_percent",
                            models.DecimalField(
                                blank=True,
                                decimal_places=2,
                                max_digits=5,
                                null=True,
                                verbose_name="gross margin, percent",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
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
                                related_name="events",
                                to="customers.installation",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Merge",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("reason", models.TextField(blank=True, default="")),
                        ("undone_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "absorbed",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="merges_lost",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "author",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "survivor",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="merges_won",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("survivor", models.F("absorbed")), _negated=True),
                                name="merge_is_of_two_customers",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "customers_mergeevent" ("absorbed_id", "at", "author_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "survivor_id", "undone_at") VALUES (NEW."absorbed_id", NEW."at", NEW."author_id", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reason", NEW."survivor_id", NEW."undone_at"); RETURN NULL;',
                                    hash="301468392b67fea77ec2c9405a7f8f95cb67c27a",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_6998b",
                                    table="customers_merge",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "customers_mergeevent" ("absorbed_id", "at", "author_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "survivor_id", "undone_at") VALUES (NEW."absorbed_id", NEW."at", NEW."author_id", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reason", NEW."survivor_id", NEW."undone_at"); RETURN NULL;',
                                    hash="5fec3236cc81627c570d57c2181a879fe952350f",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_c9d35",
                                    table="customers_merge",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MergedProfile",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "merge",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="moved", to="customers.merge"
                            ),
                        ),
                        (
                            "profile",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="moves",
                                to="customers.profile",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("merge", "profile"), name="merge_moves_a_profile_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="MergeEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.BigIntegerField()),
                        ("at", models.DateTimeField()),
                        ("reason", models.TextField(blank=True, default="")),
                        ("undone_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "absorbed",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "author",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
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
                        (
                            "pgh_obj",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="events",
                                to="customers.merge",
                            ),
                        ),
                        (
                            "survivor",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="OrderLine",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "touchpoint",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="lines",
                                to="customers.touchpoint",
                            ),
                        ),
                        ("number", models.IntegerField()),
                        ("product", models.TextField()),
                        ("description", models.TextField(blank=True, default="")),
                        ("category", models.TextField(blank=True, default="")),
                        ("quantity", models.DecimalField(decimal_places=3, max_digits=14)),
                        ("amount", models.BigIntegerField()),
                        ("cost", models.BigIntegerField(null=True)),
                        ("is_product", models.BooleanField(default=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="PossibleMerge",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("kind", models.CharField(max_length=40)),
                        ("value", models.CharField(blank=True, default="", max_length=512)),
                        ("found_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("decided_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "other",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.profile",
                            ),
                        ),
                        (
                            "profile",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.profile",
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.source",
                            ),
                        ),
                        ("score", models.SmallIntegerField(db_default=100, default=100)),
                        ("evidence", models.JSONField(default=dict)),
                        (
                            "decision",
                            models.CharField(
                                blank=True,
                                choices=[("merged", "made one"), ("refused", "are two")],
                                db_default="",
                                default="",
                                max_length=10,
                            ),
                        ),
                        (
                            "author",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "merge",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="customers.merge",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["kind", "value"], name="possible_merge_evidence"),
                            models.Index(fields=["other", "profile"], name="possible_merge_of_other"),
                            models.Index(
                                condition=models.Q(("decided_at", None)),
                                fields=["score", "id"],
                                name="possible_merge_queue",
                            ),
                            models.Index(
                                condition=models.Q(("decided_at", None)),
                                fields=["kind", "score", "id"],
                                name="possible_merge_queue_by_kind",
                            ),
                            models.Index(
                                condition=models.Q(("decision", ""), _negated=True),
                                fields=["decision", "id"],
                                name="possible_merge_decided",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("profile", "other"), name="possible_merge_is_told_once"),
                            models.CheckConstraint(
                                condition=models.Q(("profile__lt", models.F("other"))),
                                name="possible_merge_is_of_two_profiles",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("decided_at", None), ("decision", "")),
                                    models.Q(("decided_at__isnull", False), ("decision__in", ["merged", "refused"])),
                                    _connector="OR",
                                ),
                                name="possible_merge_is_open_or_decided",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("score__gte", 0), ("score__lte", 100)),
                                name="possible_merge_score_is_a_percentage",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Profile",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "customer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="profiles",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "erasure",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.erasure",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("erasure__isnull", False)),
                                fields=["id", "erasure"],
                                name="profile_without_names",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ProfileMove",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        (
                            "from_customer",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "profile",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.profile",
                            ),
                        ),
                        (
                            "to_customer",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["profile", "id"], name="profile_move_of_profile")],
                    },
                ),
                migrations.CreateModel(
                    name="PropertyKey",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("key", models.CharField(max_length=200, unique=True)),
                        ("registered_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("backfilled_at", models.DateTimeField(null=True)),
                        ("backfilled_upto", models.BigIntegerField(null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="PropertyValue",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "touchpoint",
                                "property_key",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "touchpoint",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.touchpoint",
                            ),
                        ),
                        (
                            "property_key",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.propertykey",
                            ),
                        ),
                        (
                            "profile",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.profile",
                            ),
                        ),
                        (
                            "type",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.touchpointtype",
                            ),
                        ),
                        (
                            "channel",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.channel",
                            ),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        ("amount", models.BigIntegerField(null=True)),
                        (
                            "kind",
                            models.SmallIntegerField(
                                choices=[(1, "String"), (2, "Number"), (3, "Boolean"), (4, "Other")]
                            ),
                        ),
                        ("text", models.TextField()),
                    ],
                    options={
                        "indexes": [models.Index(fields=["profile", "property_key"], name="property_value_replay")],
                    },
                ),
                migrations.CreateModel(
                    name="RawBody",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "received_at",
                                "source",
                                "message_hash",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("received_at", models.DateTimeField()),
                        ("message_hash", models.UUIDField()),
                        ("body", models.BinaryField()),
                    ],
                    options={
                        "db_table": "customers_rawbody",
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="Reject",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("line_number", models.BigIntegerField(blank=True, null=True)),
                        ("path", models.TextField(blank=True, default="")),
                        ("reason", models.TextField()),
                        ("raw", models.BinaryField()),
                        ("received_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "from_import",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="rejects",
                                to="customers.import",
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="rejects",
                                to="customers.source",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Source",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("key", models.SlugField(max_length=60, unique=True)),
                        ("name", models.CharField(max_length=100, verbose_name="name")),
                        ("kind", models.CharField(default="api", max_length=20)),
                        (
                            "time_zone",
                            models.CharField(
                                default="UTC",
                                help_text="The zone of local times that carry no offset of their own.",
                                max_length=64,
                            ),
                        ),
                        ("currency", models.CharField(blank=True, default="", max_length=3)),
                        (
                            "shift_days",
                            models.IntegerField(
                                default=0,
                                help_text="Whole days of local time by which demonstration data was moved; 0 for real data.",
                            ),
                        ),
                        ("is_simulated", models.BooleanField(default=False)),
                        ("write_key_hash", models.CharField(blank=True, default="", max_length=64)),
                        ("revoked_at", models.DateTimeField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "former_key_hash",
                            models.CharField(
                                blank=True,
                                default="",
                                help_text="The key before the last rotation, which opens for a while.",
                                max_length=64,
                            ),
                        ),
                        ("former_key_until", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("write_key_hash", ""), _negated=True),
                                fields=("write_key_hash",),
                                name="write_key_opens_one_source",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
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
                            pgtrigger.compiler.Trigger(
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
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SourceEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.IntegerField()),
                        ("key", models.SlugField(db_index=False, max_length=60)),
                        ("name", models.CharField(max_length=100, verbose_name="name")),
                        ("kind", models.CharField(default="api", max_length=20)),
                        (
                            "time_zone",
                            models.CharField(
                                default="UTC",
                                help_text="The zone of local times that carry no offset of their own.",
                                max_length=64,
                            ),
                        ),
                        ("currency", models.CharField(blank=True, default="", max_length=3)),
                        (
                            "shift_days",
                            models.IntegerField(
                                default=0,
                                help_text="Whole days of local time by which demonstration data was moved; 0 for real data.",
                            ),
                        ),
                        ("is_simulated", models.BooleanField(default=False)),
                        ("write_key_hash", models.CharField(blank=True, default="", max_length=64)),
                        ("revoked_at", models.DateTimeField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                                related_name="events",
                                to="customers.source",
                            ),
                        ),
                        (
                            "former_key_hash",
                            models.CharField(
                                blank=True,
                                default="",
                                help_text="The key before the last rotation, which opens for a while.",
                                max_length=64,
                            ),
                        ),
                        ("former_key_until", models.DateTimeField(blank=True, null=True)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Stale",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "cause",
                            models.SmallIntegerField(
                                choices=[
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
                                ]
                            ),
                        ),
                        ("attempts", models.SmallIntegerField(default=0)),
                        (
                            "profile",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.profile",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["profile"], name="stale_of_profile")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("cause__in", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])),
                                name="stale_cause_is_known",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Touchpoint",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "profile",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="touchpoints",
                                to="customers.profile",
                            ),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField()),
                        ("amount", models.BigIntegerField(null=True)),
                        ("body_hash", models.BigIntegerField()),
                        ("message_hash", models.UUIDField()),
                        (
                            "source",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.source",
                            ),
                        ),
                        (
                            "type",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.touchpointtype",
                            ),
                        ),
                        (
                            "channel",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.channel",
                            ),
                        ),
                        ("flags", models.SmallIntegerField(default=0)),
                        ("currency", models.CharField(blank=True, default="", max_length=3)),
                        ("original_amount", models.DecimalField(decimal_places=4, max_digits=18, null=True)),
                        ("order_ref", models.TextField(blank=True, default="")),
                        ("properties", models.JSONField(default=dict)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                fields=["profile", "occurred_at"],
                                include=("type", "channel", "amount"),
                                name="touchpoint_replay",
                            ),
                            models.Index(
                                condition=models.Q(("order_ref", ""), _negated=True),
                                fields=["order_ref"],
                                name="touchpoint_order",
                            ),
                            django.contrib.postgres.indexes.BrinIndex(
                                autosummarize=True, fields=["received_at"], name="touchpoint_received"
                            ),
                            models.Index(
                                condition=models.Q(("amount", None), ("original_amount__isnull", False)),
                                fields=["currency", "id"],
                                name="touchpoint_unconverted",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("source", "message_hash"), name="message_is_stored_once"),
                            models.CheckConstraint(
                                condition=models.Q(("occurred_at__lte", models.F("received_at"))),
                                name="touchpoint_lies_not_after_its_arrival",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("occurred_at__gte", "1990-01-01T00:00:00Z")),
                                name="touchpoint_lies_not_before_1990",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("amount__gt", -100000000000), ("amount__lt", 100000000000)),
                                    ("amount", None),
                                    _connector="OR",
                                ),
                                name="amount_is_below_10_to_the_11_minor_units",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("original_amount", None),
                                    models.Q(
                                        ("original_amount__gt", -100000000000000),
                                        ("original_amount__lt", 100000000000000),
                                    ),
                                    _connector="OR",
                                ),
                                name="original_amount_is_a_number",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TouchpointType",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("name", models.CharField(max_length=200, unique=True)),
                        (
                            "role",
                            models.CharField(
                                choices=[
                                    ("exposure", "Exposure"),
                                    ("visit", "Visit"),
                                    ("signup", "Sign-up"),
                                    ("subscribe", "Subscribe"),
                                    ("cancel", "Cancel"),
                                    ("onboarding", "Onboarding"),
                                    ("usage", "Usage"),
                                    ("cart", "Cart"),
                                    ("checkout", "Checkout"),
                                    ("purchase", "Purchase"),
                                    ("refund", "Refund"),
                                    ("upgrade", "Upgrade"),
                                    ("support", "Support"),
                                    ("feedback", "Feedback"),
                                    ("review", "Review"),
                                    ("referral", "Referral"),
                                    ("share", "Share"),
                                    ("other", "Other"),
                                ],
                                default="other",
                                max_length=20,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("mapped_at", models.DateTimeField(blank=True, null=True)),
                        ("reads", models.JSONField(blank=True, db_default={}, default=dict)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "role__in",
                                        [
                                            "exposure",
                                            "visit",
                                            "signup",
                                            "subscribe",
                                            "cancel",
                                            "onboarding",
                                            "usage",
                                            "cart",
                                            "checkout",
                                            "purchase",
                                            "refund",
                                            "upgrade",
                                            "support",
                                            "feedback",
                                            "review",
                                            "referral",
                                            "share",
                                            "other",
                                        ],
                                    )
                                ),
                                name="touchpoint_role_is_known",
                            )
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
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
                            pgtrigger.compiler.Trigger(
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
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TouchpointTypeEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.IntegerField()),
                        ("name", models.CharField(max_length=200)),
                        (
                            "role",
                            models.CharField(
                                choices=[
                                    ("exposure", "Exposure"),
                                    ("visit", "Visit"),
                                    ("signup", "Sign-up"),
                                    ("subscribe", "Subscribe"),
                                    ("cancel", "Cancel"),
                                    ("onboarding", "Onboarding"),
                                    ("usage", "Usage"),
                                    ("cart", "Cart"),
                                    ("checkout", "Checkout"),
                                    ("purchase", "Purchase"),
                                    ("refund", "Refund"),
                                    ("upgrade", "Upgrade"),
                                    ("support", "Support"),
                                    ("feedback", "Feedback"),
                                    ("review", "Review"),
                                    ("referral", "Referral"),
                                    ("share", "Share"),
                                    ("other", "Other"),
                                ],
                                default="other",
                                max_length=20,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                                related_name="events",
                                to="customers.touchpointtype",
                            ),
                        ),
                        ("mapped_at", models.DateTimeField(blank=True, null=True)),
                        ("reads", models.JSONField(blank=True, db_default={}, default=dict)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Trait",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "profile",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="traits",
                                to="customers.profile",
                            ),
                        ),
                        ("key", models.CharField(max_length=200)),
                        ("value", models.JSONField(null=True)),
                        ("set_at", models.DateTimeField()),
                        ("last_seen_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("profile", "key", "set_at"), name="trait_has_one_value_at_an_instant"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("last_seen_at__gte", models.F("set_at"))),
                                name="trait_is_seen_no_earlier_than_set",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TraitTelling",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("told_at", models.DateTimeField()),
                        ("traits", models.JSONField()),
                        (
                            "profile",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.profile",
                            ),
                        ),
                        (
                            "recorded_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now(), editable=False, null=True
                            ),
                        ),
                        ("message_hash", models.UUIDField(null=True)),
                        (
                            "source",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="customers.source",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["profile", "told_at"], name="trait_telling_of_profile")],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("message_hash__isnull", False)),
                                fields=("source", "message_hash"),
                                name="telling_is_stored_once",
                            )
                        ],
                    },
                ),
            ],
        ),
        migrations.RunSQL(TOUCHPOINTS, migrations.RunSQL.noop),
        migrations.RunSQL(RAW_BODIES, "DROP TABLE customers_rawbody"),
    ]

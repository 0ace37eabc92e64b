"""Ten migrations as one step, for a new database; what has the steps that it stands for goes on from them.

The state in which they leave a database, to the order of columns; what they did to rows of older databases is not here,
since a new one has none."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
from django.conf import settings
from django.db import migrations, models

from clm.lib.tables_at_once import CreateModels

STORAGE = """
-- Standings are updated in place: room on every page keeps nine of ten updates off the indexes (HOT).
ALTER TABLE lifecycle_standing SET (fillfactor = 80);
ALTER TABLE lifecycle_due SET (fillfactor = 80);
-- Believed history is read by index-only scans.
ALTER TABLE lifecycle_transition SET (autovacuum_vacuum_insert_scale_factor = 0.02);
CREATE SEQUENCE lifecycle_announcement_order AS bigint;
"""

# Nobody looks a transition up by its id, and the index cost a quarter of storing one.
DROP = "ALTER TABLE lifecycle_transition DROP CONSTRAINT lifecycle_transition_pkey"
ADD = "ALTER TABLE lifecycle_transition ADD CONSTRAINT lifecycle_transition_pkey PRIMARY KEY (id)"


class Migration(migrations.Migration):
    replaces = [
        ("lifecycle", "0001_schema"),
        ("lifecycle", "0002_storage"),
        ("lifecycle", "0003_pulse"),
        ("lifecycle", "0004_when_it_was_known"),
        ("lifecycle", "0005_definitions_and_hands"),
        ("lifecycle", "0006_faults"),
        ("lifecycle", "0007_transitions_have_no_index_of_ids"),
        ("lifecycle", "0008_moves"),
        ("lifecycle", "0009_previews_and_publications"),
        ("lifecycle", "0010_changes_of_mapping"),
    ]

    initial = True

    dependencies = [
        ("access", "__first__"),
        ("customers", "0005_trait_tellings"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels(
            operations=[
                migrations.CreateModel(
                    name="Announcement",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("sequence", models.BigIntegerField(null=True, unique=True)),
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
                        (
                            "subject",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.subject",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.version",
                            ),
                        ),
                        (
                            "from_stage",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[("transition", "a change"), ("correction", "a correction")], max_length=12
                            ),
                        ),
                        ("entered_at", models.DateTimeField()),
                        ("told_at", models.DateTimeField()),
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
                        ("is_news", models.BooleanField()),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("sequence", None)), fields=["id"], name="announcement_unsequenced"
                            ),
                            models.Index(fields=["customer", "id"], name="announcement_of_customer"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("kind__in", ["transition", "correction"])),
                                name="announcement_kind_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("cause__in", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])),
                                name="announcement_cause_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Due",
                    fields=[
                        (
                            "customer",
                            models.OneToOneField(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="customers.customer",
                            ),
                        ),
                        ("due_at", models.DateTimeField()),
                    ],
                    options={
                        "indexes": [models.Index(fields=["due_at"], name="due_next")],
                    },
                ),
                migrations.CreateModel(
                    name="Example",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("name", models.CharField(max_length=200)),
                        (
                            "history",
                            models.JSONField(
                                blank=True,
                                help_text='{"touchpoints": [...], "traits": [...]} as the trial of a rule takes them.',
                                null=True,
                            ),
                        ),
                        ("at", models.DateTimeField(blank=True, null=True)),
                        (
                            "day",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Local day of the life, from 1; its last instant is meant.",
                                null=True,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
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
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="customers.customer",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        (
                            "subject",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="examples",
                                to="lifecycle.subject",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("customer", None), ("history__isnull", False)),
                                    models.Q(("customer__isnull", False), ("history", None)),
                                    _connector="OR",
                                ),
                                name="example_is_of_a_customer_or_made_up",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("at", None), ("day__gte", 1)),
                                    models.Q(("at__isnull", False), ("day", None)),
                                    _connector="OR",
                                ),
                                name="example_is_at_an_instant_or_on_a_day",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "lifecycle_exampleevent" ("at", "author_id", "created_at", "customer_id", "day", "history", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "retired_at", "stage_id", "subject_id") VALUES (NEW."at", NEW."author_id", NEW."created_at", NEW."customer_id", NEW."day", NEW."history", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."retired_at", NEW."stage_id", NEW."subject_id"); RETURN NULL;',
                                    hash="746ab76e73b211313ab0e3c5a58ff8e19b54e7da",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_b58da",
                                    table="lifecycle_example",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "lifecycle_exampleevent" ("at", "author_id", "created_at", "customer_id", "day", "history", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "retired_at", "stage_id", "subject_id") VALUES (NEW."at", NEW."author_id", NEW."created_at", NEW."customer_id", NEW."day", NEW."history", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."retired_at", NEW."stage_id", NEW."subject_id"); RETURN NULL;',
                                    hash="af618ecbb3dbe180da314cdace675dcdb47afb1a",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_94bf7",
                                    table="lifecycle_example",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ExampleEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.IntegerField()),
                        ("name", models.CharField(max_length=200)),
                        (
                            "history",
                            models.JSONField(
                                blank=True,
                                help_text='{"touchpoints": [...], "traits": [...]} as the trial of a rule takes them.',
                                null=True,
                            ),
                        ),
                        ("at", models.DateTimeField(blank=True, null=True)),
                        (
                            "day",
                            models.PositiveIntegerField(
                                blank=True,
                                help_text="Local day of the life, from 1; its last instant is meant.",
                                null=True,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
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
                            "customer",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="customers.customer",
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
                                to="lifecycle.example",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        (
                            "subject",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.subject",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Fault",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        (
                            "trouble",
                            models.TextField(help_text="The class of the error, and where it was raised.", unique=True),
                        ),
                        ("error", models.TextField()),
                        (
                            "customers",
                            models.PositiveIntegerField(
                                default=0, help_text="How many raised it at once, at the most."
                            ),
                        ),
                        ("tries", models.PositiveIntegerField(default=0)),
                        ("first_at", models.DateTimeField()),
                        ("last_at", models.DateTimeField()),
                        ("retry_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="HotCustomer",
                    fields=[
                        (
                            "customer",
                            models.OneToOneField(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="customers.customer",
                            ),
                        ),
                        ("touchpoints", models.BigIntegerField()),
                        ("not_before", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="ListMember",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "segment",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="list_members",
                                to="lifecycle.subject",
                            ),
                        ),
                        (
                            "profile",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="customers.profile"
                            ),
                        ),
                        ("added_at", models.DateTimeField()),
                        ("removed_at", models.DateTimeField(blank=True, null=True)),
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
                        ("is_excluded", models.BooleanField(default=False)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("removed_at", None), ("removed_at__gt", models.F("added_at")), _connector="OR"
                                ),
                                name="list_member_is_removed_after_being_added",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("removed_at", None)),
                                fields=("segment", "profile", "is_excluded"),
                                name="list_member_is_on_a_list_once",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "lifecycle_listmemberevent" ("added_at", "author_id", "id", "is_excluded", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "profile_id", "removed_at", "segment_id") VALUES (NEW."added_at", NEW."author_id", NEW."id", NEW."is_excluded", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."profile_id", NEW."removed_at", NEW."segment_id"); RETURN NULL;',
                                    hash="d0ae49e7387b55947507e948ed924e1f799eabc3",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_1314d",
                                    table="lifecycle_listmember",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "lifecycle_listmemberevent" ("added_at", "author_id", "id", "is_excluded", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "profile_id", "removed_at", "segment_id") VALUES (NEW."added_at", NEW."author_id", NEW."id", NEW."is_excluded", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."profile_id", NEW."removed_at", NEW."segment_id"); RETURN NULL;',
                                    hash="68c6251b2139cab46089646385531c02c8f3b94d",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_1fbb9",
                                    table="lifecycle_listmember",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ListMemberEvent",
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
                                to="lifecycle.listmember",
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
                            "segment",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.subject",
                            ),
                        ),
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
                        ("added_at", models.DateTimeField()),
                        ("removed_at", models.DateTimeField(blank=True, null=True)),
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
                        ("is_excluded", models.BooleanField(default=False)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Move",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "version", "customer", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "change",
                            models.CharField(
                                choices=[("new", "New"), ("moved", "Moved"), ("gone", "Gone")], max_length=5
                            ),
                        ),
                        ("since", models.DateTimeField()),
                        ("announcement", models.BigIntegerField(null=True)),
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
                        (
                            "from_stage",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        (
                            "version",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.version",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("change__in", ["new", "moved", "gone"])),
                                name="move_is_of_a_known_kind",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Parked",
                    fields=[
                        (
                            "customer",
                            models.OneToOneField(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="customers.customer",
                            ),
                        ),
                        ("error", models.TextField()),
                        ("attempts", models.PositiveIntegerField(default=1)),
                        ("parked_at", models.DateTimeField()),
                        (
                            "trouble",
                            models.TextField(
                                blank=True, default="", help_text="The class of the error, and where it was raised."
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Placement",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "subject",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="lifecycle.subject"
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="lifecycle.stage"
                            ),
                        ),
                        ("from_at", models.DateTimeField()),
                        ("until_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "author",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("reason", models.TextField()),
                        ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "profile",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.profile"
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("until_at", None), ("until_at__gt", models.F("from_at")), _connector="OR"
                                ),
                                name="placement_ends_after_it_starts",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("reason", ""), _negated=True), name="placement_states_its_reason"
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "lifecycle_placementevent" ("author_id", "from_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "profile_id", "reason", "recorded_at", "stage_id", "subject_id", "until_at", "withdrawn_at") VALUES (NEW."author_id", NEW."from_at", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."profile_id", NEW."reason", NEW."recorded_at", NEW."stage_id", NEW."subject_id", NEW."until_at", NEW."withdrawn_at"); RETURN NULL;',
                                    hash="9fb56a93eee1a9678080d9f8d4b9584af6f552b2",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_4c544",
                                    table="lifecycle_placement",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "lifecycle_placementevent" ("author_id", "from_at", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "profile_id", "reason", "recorded_at", "stage_id", "subject_id", "until_at", "withdrawn_at") VALUES (NEW."author_id", NEW."from_at", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."profile_id", NEW."reason", NEW."recorded_at", NEW."stage_id", NEW."subject_id", NEW."until_at", NEW."withdrawn_at"); RETURN NULL;',
                                    hash="e8ca4c75f967091583b04c0f75a08df2008d41dc",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_641ad",
                                    table="lifecycle_placement",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PlacementEvent",
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
                                to="lifecycle.placement",
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
                            "subject",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.subject",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        ("from_at", models.DateTimeField()),
                        ("until_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "author",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("reason", models.TextField()),
                        ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
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
                    name="Preview",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("rule", models.JSONField(blank=True, null=True)),
                        ("pairs", models.JSONField(default=list)),
                        ("at", models.DateTimeField()),
                        ("since", models.DateTimeField()),
                        ("result", models.JSONField(blank=True, null=True)),
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
                        (
                            "revision",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="previews",
                                to="lifecycle.revision",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("failed_at", None), ("finished_at", None)),
                                fields=["id"],
                                name="preview_unfinished",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("revision", None), ("rule__isnull", False)),
                                    models.Q(("revision__isnull", False), ("rule", None)),
                                    _connector="OR",
                                ),
                                name="preview_is_of_a_revision_or_a_rule",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PreviewBucket",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("bucket", models.BigIntegerField()),
                        ("done_at", models.DateTimeField(null=True)),
                        ("customers", models.BigIntegerField(default=0)),
                        ("result", models.JSONField(null=True)),
                        (
                            "preview",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="buckets",
                                to="lifecycle.preview",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("preview", "bucket"), name="preview_visits_a_bucket_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Publication",
                    fields=[
                        (
                            "revision",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="publication",
                                serialize=False,
                                to="lifecycle.revision",
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        ("began_at", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("refused_at", models.DateTimeField(null=True)),
                        ("refusal", models.TextField(blank=True, default="")),
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
                            models.CheckConstraint(
                                condition=models.Q(("finished_at", None), ("refused_at", None), _connector="OR"),
                                name="publication_is_finished_or_refused",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Pulse",
                    fields=[
                        ("part", models.CharField(max_length=20, primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Replay",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
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
                                ],
                                default=11,
                            ),
                        ),
                        ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("finished_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("finished_at", None)),
                                fields=("cause",),
                                name="one_replay_of_a_cause_runs_at_a_time",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReplayBucket",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "replay",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="buckets",
                                to="lifecycle.replay",
                            ),
                        ),
                        ("bucket", models.BigIntegerField()),
                        ("done_at", models.DateTimeField(null=True)),
                        ("customers", models.BigIntegerField(default=0)),
                        ("touchpoints", models.BigIntegerField(default=0)),
                        ("rows_changed", models.BigIntegerField(default=0)),
                        ("rows_by_time", models.BigIntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("replay", "bucket"), name="replay_visits_a_bucket_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Revision",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("sub_rules", models.JSONField(default=dict)),
                        ("note", models.TextField(blank=True, default="")),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("published_at", models.DateTimeField(blank=True, null=True)),
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
                        ("mapping", models.JSONField(blank=True, db_default={}, default=dict)),
                    ],
                    options={
                        "triggers": [
                            pgtrigger.compiler.Trigger(
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
                            pgtrigger.compiler.Trigger(
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
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RevisionEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.IntegerField()),
                        ("sub_rules", models.JSONField(default=dict)),
                        ("note", models.TextField(blank=True, default="")),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("published_at", models.DateTimeField(blank=True, null=True)),
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
                                to="lifecycle.revision",
                            ),
                        ),
                        ("mapping", models.JSONField(blank=True, db_default={}, default=dict)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="RoleTable",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("roles", models.JSONField()),
                        ("digest", models.CharField(max_length=64, unique=True)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                ),
                migrations.CreateModel(
                    name="Segment",
                    fields=[],
                    options={
                        "proxy": True,
                    },
                    bases=("lifecycle.subject",),
                ),
                migrations.CreateModel(
                    name="Stage",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("key", models.SlugField(max_length=60)),
                        ("name", models.CharField(max_length=100)),
                        (
                            "position",
                            models.IntegerField(default=0, help_text="The order on pages, apart from precedence."),
                        ),
                        ("is_exit", models.BooleanField(default=False)),
                        (
                            "subject",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="stages",
                                to="lifecycle.subject",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("subject", "key"), name="stage_key_is_unique_in_its_model"),
                            models.UniqueConstraint(
                                condition=models.Q(("is_exit", True)),
                                fields=("subject",),
                                name="model_has_at_most_one_exit_stage",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "lifecycle_stageevent" ("id", "is_exit", "key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "subject_id") VALUES (NEW."id", NEW."is_exit", NEW."key", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."subject_id"); RETURN NULL;',
                                    hash="5d524ec1e79c9ecd17aed7efd5b3af99ac19c5e9",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_c2cc7",
                                    table="lifecycle_stage",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "lifecycle_stageevent" ("id", "is_exit", "key", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "subject_id") VALUES (NEW."id", NEW."is_exit", NEW."key", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."subject_id"); RETURN NULL;',
                                    hash="48950e8a415e91d3933edae5cd3f10796691a9c1",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_845c0",
                                    table="lifecycle_stage",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StageEvent",
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
                                to="lifecycle.stage",
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
                        ("id", models.IntegerField()),
                        (
                            "subject",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.subject",
                            ),
                        ),
                        ("key", models.SlugField(db_index=False, max_length=60)),
                        ("name", models.CharField(max_length=100)),
                        (
                            "position",
                            models.IntegerField(default=0, help_text="The order on pages, apart from precedence."),
                        ),
                        ("is_exit", models.BooleanField(default=False)),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="StageModel",
                    fields=[],
                    options={
                        "proxy": True,
                    },
                    bases=("lifecycle.subject",),
                ),
                migrations.CreateModel(
                    name="Standing",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "customer", "subject", blank=True, editable=False, primary_key=True, serialize=False
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
                        (
                            "subject",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.subject",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        ("since", models.DateTimeField()),
                        (
                            "told_stage",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        ("told_until", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Subject",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        (
                            "kind",
                            models.CharField(
                                choices=[("model", "Stage model"), ("segment", "Segment"), ("list", "Static list")],
                                max_length=10,
                            ),
                        ),
                        ("key", models.SlugField(max_length=60)),
                        ("name", models.CharField(max_length=100, verbose_name="name")),
                        ("description", models.TextField(blank=True, default="")),
                        ("position", models.IntegerField(default=0)),
                        (
                            "is_default",
                            models.BooleanField(
                                default=False, help_text="Pages show this model unless told otherwise."
                            ),
                        ),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "live_version",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="lifecycle.version",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("kind__in", ["model", "segment", "list"])),
                                name="subject_kind_is_known",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "model")), fields=("key",), name="stage_model_key_is_unique"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("kind", "model"), _negated=True),
                                fields=("key",),
                                name="segment_key_is_unique",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("is_default", True)),
                                fields=("is_default",),
                                name="one_stage_model_is_the_default",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "lifecycle_subjectevent" ("created_at", "description", "id", "is_default", "key", "kind", "live_version_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "retired_at") VALUES (NEW."created_at", NEW."description", NEW."id", NEW."is_default", NEW."key", NEW."kind", NEW."live_version_id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."position", NEW."retired_at"); RETURN NULL;',
                                    hash="75a518cc116915c5b44dc3bda9eef4d28eada9bc",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_b7fc4",
                                    table="lifecycle_subject",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "lifecycle_subjectevent" ("created_at", "description", "id", "is_default", "key", "kind", "live_version_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "position", "retired_at") VALUES (NEW."created_at", NEW."description", NEW."id", NEW."is_default", NEW."key", NEW."kind", NEW."live_version_id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."position", NEW."retired_at"); RETURN NULL;',
                                    hash="81688dc95bd88df0a97ab4b1ee89a9e3865837e5",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_7debf",
                                    table="lifecycle_subject",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SubjectEvent",
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
                                to="lifecycle.subject",
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
                        ("id", models.IntegerField()),
                        (
                            "kind",
                            models.CharField(
                                choices=[("model", "Stage model"), ("segment", "Segment"), ("list", "Static list")],
                                max_length=10,
                            ),
                        ),
                        ("key", models.SlugField(db_index=False, max_length=60)),
                        ("name", models.CharField(max_length=100, verbose_name="name")),
                        ("description", models.TextField(blank=True, default="")),
                        ("position", models.IntegerField(default=0)),
                        (
                            "is_default",
                            models.BooleanField(
                                default=False, help_text="Pages show this model unless told otherwise."
                            ),
                        ),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "live_version",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.version",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="SubRule",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=100, unique=True)),
                        ("document", models.JSONField()),
                        ("changed_at", models.DateTimeField(auto_now=True)),
                    ],
                    options={
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "lifecycle_subruleevent" ("changed_at", "document", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."changed_at", NEW."document", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;',
                                    hash="e8ade6ce862fa89a1913459a0753ad91be31a0e4",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_dc716",
                                    table="lifecycle_subrule",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "lifecycle_subruleevent" ("changed_at", "document", "id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."changed_at", NEW."document", NEW."id", NEW."name", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;',
                                    hash="88a8293d9ba82fa030c4f931c517392c6eb3ac8f",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_f0693",
                                    table="lifecycle_subrule",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SubRuleEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.BigIntegerField()),
                        ("name", models.CharField(max_length=100)),
                        ("document", models.JSONField()),
                        ("changed_at", models.DateTimeField(auto_now=True)),
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
                                to="lifecycle.subrule",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="Touched",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
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
                    name="Transition",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
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
                        (
                            "version",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.version",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="lifecycle.stage",
                            ),
                        ),
                        ("entered_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("superseded_at", models.DateTimeField(null=True)),
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
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("superseded_at__isnull", False)),
                                fields=["customer", "version"],
                                name="transition_superseded",
                            ),
                            django.contrib.postgres.indexes.BrinIndex(
                                autosummarize=True,
                                fields=["recorded_at", "superseded_at"],
                                name="transition_known",
                                pages_per_range=64,
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("superseded_at", None)),
                                fields=("customer", "version", "entered_at"),
                                include=("stage",),
                                name="customer_enters_one_stage_at_an_instant",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("entered_at__lte", models.F("recorded_at"))),
                                name="transition_lies_not_in_the_future",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("superseded_at", None),
                                    ("superseded_at__gte", models.F("recorded_at")),
                                    _connector="OR",
                                ),
                                name="transition_is_superseded_after_it_was_recorded",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("cause__in", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])),
                                name="transition_cause_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Version",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("number", models.PositiveIntegerField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "draft"),
                                    ("building", "building"),
                                    ("live", "live"),
                                    ("retired", "retired"),
                                ],
                                default="draft",
                                max_length=10,
                            ),
                        ),
                        (
                            "document",
                            models.JSONField(
                                help_text='A model: {"stages": [{"key", "rule"}, ...] lowest precedence first, "exit": key}; a segment: {"rule"}, null for a static list.'
                            ),
                        ),
                        ("sub_rules", models.JSONField(default=dict)),
                        ("lapse_days", models.PositiveIntegerField()),
                        ("time_zone", models.CharField(max_length=64)),
                        ("tzdata", models.CharField(max_length=20)),
                        ("minor_digits", models.SmallIntegerField(default=2)),
                        ("engine", models.PositiveIntegerField()),
                        ("note", models.TextField(blank=True, default="")),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("published_at", models.DateTimeField(blank=True, null=True)),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
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
                            "role_table",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="lifecycle.roletable"
                            ),
                        ),
                        (
                            "subject",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="versions",
                                to="lifecycle.subject",
                            ),
                        ),
                        (
                            "definitions",
                            models.JSONField(
                                default=dict,
                                help_text='What its rules name: {"segments": {key: ...}, "models": {key: ...}}, as `parse_rule` takes them.',
                            ),
                        ),
                        (
                            "revision",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="versions",
                                to="lifecycle.revision",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("subject", "number"), name="version_number_is_unique"),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "live")),
                                fields=("subject",),
                                name="subject_has_one_live_version",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ["draft", "building", "live", "retired"])),
                                name="version_state_is_known",
                            ),
                        ],
                        "triggers": [
                            pgtrigger.compiler.Trigger(
                                name="insert_insert",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    func='INSERT INTO "lifecycle_versionevent" ("author_id", "created_at", "definitions", "document", "engine", "id", "lapse_days", "minor_digits", "note", "number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "retired_at", "revision_id", "role_table_id", "state", "sub_rules", "subject_id", "time_zone", "tzdata") VALUES (NEW."author_id", NEW."created_at", NEW."definitions", NEW."document", NEW."engine", NEW."id", NEW."lapse_days", NEW."minor_digits", NEW."note", NEW."number", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."published_at", NEW."retired_at", NEW."revision_id", NEW."role_table_id", NEW."state", NEW."sub_rules", NEW."subject_id", NEW."time_zone", NEW."tzdata"); RETURN NULL;',
                                    hash="fc9a1070f2b8a56f330213a7e11dc169ffcbf48f",
                                    operation="INSERT",
                                    pgid="pgtrigger_insert_insert_fb0f3",
                                    table="lifecycle_version",
                                    when="AFTER",
                                ),
                            ),
                            pgtrigger.compiler.Trigger(
                                name="update_update",
                                sql=pgtrigger.compiler.UpsertTriggerSql(
                                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                                    func='INSERT INTO "lifecycle_versionevent" ("author_id", "created_at", "definitions", "document", "engine", "id", "lapse_days", "minor_digits", "note", "number", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "retired_at", "revision_id", "role_table_id", "state", "sub_rules", "subject_id", "time_zone", "tzdata") VALUES (NEW."author_id", NEW."created_at", NEW."definitions", NEW."document", NEW."engine", NEW."id", NEW."lapse_days", NEW."minor_digits", NEW."note", NEW."number", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."published_at", NEW."retired_at", NEW."revision_id", NEW."role_table_id", NEW."state", NEW."sub_rules", NEW."subject_id", NEW."time_zone", NEW."tzdata"); RETURN NULL;',
                                    hash="7db5eb5cf7c6dac5675a06906171d7e021ad631f",
                                    operation="UPDATE",
                                    pgid="pgtrigger_update_update_8e393",
                                    table="lifecycle_version",
                                    when="AFTER",
                                ),
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="VersionEvent",
                    fields=[
                        ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                        ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                        ("pgh_label", models.TextField(help_text="The event label.")),
                        ("id", models.IntegerField()),
                        ("number", models.PositiveIntegerField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("draft", "draft"),
                                    ("building", "building"),
                                    ("live", "live"),
                                    ("retired", "retired"),
                                ],
                                default="draft",
                                max_length=10,
                            ),
                        ),
                        (
                            "document",
                            models.JSONField(
                                help_text='A model: {"stages": [{"key", "rule"}, ...] lowest precedence first, "exit": key}; a segment: {"rule"}, null for a static list.'
                            ),
                        ),
                        ("sub_rules", models.JSONField(default=dict)),
                        ("lapse_days", models.PositiveIntegerField()),
                        ("time_zone", models.CharField(max_length=64)),
                        ("tzdata", models.CharField(max_length=20)),
                        ("minor_digits", models.SmallIntegerField(default=2)),
                        ("engine", models.PositiveIntegerField()),
                        ("note", models.TextField(blank=True, default="")),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("published_at", models.DateTimeField(blank=True, null=True)),
                        ("retired_at", models.DateTimeField(blank=True, null=True)),
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
                                to="lifecycle.version",
                            ),
                        ),
                        (
                            "role_table",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.roletable",
                            ),
                        ),
                        (
                            "subject",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.subject",
                            ),
                        ),
                        (
                            "definitions",
                            models.JSONField(
                                default=dict,
                                help_text='What its rules name: {"segments": {key: ...}, "models": {key: ...}}, as `parse_rule` takes them.',
                            ),
                        ),
                        (
                            "revision",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                related_query_name="+",
                                to="lifecycle.revision",
                            ),
                        ),
                    ],
                    options={
                        "abstract": False,
                    },
                ),
            ],
        ),
        migrations.RunSQL(STORAGE, "DROP SEQUENCE lifecycle_announcement_order"),
        migrations.RunSQL(DROP, ADD),
    ]

# Traits, segments and stages in rules, and what people decide by hand. Nobody could place anybody before, so there are no
# placements that the default profile 0 would be given to.

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_trait_tellings"),
        ("lifecycle", "0004_when_it_was_known"),
        ("pghistory", "0007_auto_20250421_0444"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
                        blank=True, help_text="Local day of the life, from 1; its last instant is meant.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
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
                        blank=True, help_text="Local day of the life, from 1; its last instant is meant.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
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
            ],
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
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="listmember",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="listmember",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="placement",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="placement",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="version",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="version",
            name="update_update",
        ),
        migrations.RemoveField(
            model_name="placement",
            name="customer",
        ),
        migrations.RemoveField(
            model_name="placementevent",
            name="customer",
        ),
        migrations.AddField(
            model_name="listmember",
            name="is_excluded",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="listmemberevent",
            name="is_excluded",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="placement",
            name="profile",
            field=models.ForeignKey(
                default=0, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.profile"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="placementevent",
            name="profile",
            field=models.ForeignKey(
                db_constraint=False,
                default=0,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="customers.profile",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="version",
            name="definitions",
            field=models.JSONField(
                default=dict,
                help_text='What its rules name: {"segments": {key: ...}, "models": {key: ...}}, as `parse_rule` takes them.',
            ),
        ),
        migrations.AddField(
            model_name="versionevent",
            name="definitions",
            field=models.JSONField(
                default=dict,
                help_text='What its rules name: {"segments": {key: ...}, "models": {key: ...}}, as `parse_rule` takes them.',
            ),
        ),
        migrations.AlterField(
            model_name="version",
            name="document",
            field=models.JSONField(
                help_text='A model: {"stages": [{"key", "rule"}, ...] lowest precedence first, "exit": key}; a segment: {"rule"}, null for a static list.'
            ),
        ),
        migrations.AlterField(
            model_name="versionevent",
            name="document",
            field=models.JSONField(
                help_text='A model: {"stages": [{"key", "rule"}, ...] lowest precedence first, "exit": key}; a segment: {"rule"}, null for a static list.'
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="listmember",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="listmember",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placement",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placement",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="version",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="version",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        migrations.AddConstraint(
            model_name="listmember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at", None)),
                fields=("segment", "profile", "is_excluded"),
                name="list_member_is_on_a_list_once",
            ),
        ),
        migrations.AddField(
            model_name="example",
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
            model_name="example",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="stage",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="lifecycle.stage",
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="subject",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="examples", to="lifecycle.subject"
            ),
        ),
        migrations.AddField(
            model_name="exampleevent",
            name="author",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="exampleevent",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="exampleevent",
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
            model_name="exampleevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="lifecycle.example",
            ),
        ),
        migrations.AddField(
            model_name="exampleevent",
            name="stage",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="lifecycle.stage",
            ),
        ),
        migrations.AddField(
            model_name="exampleevent",
            name="subject",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="lifecycle.subject",
            ),
        ),
        migrations.AddField(
            model_name="revision",
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
            model_name="version",
            name="revision",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="lifecycle.revision",
            ),
        ),
        migrations.AddField(
            model_name="versionevent",
            name="revision",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="lifecycle.revision",
            ),
        ),
        migrations.AddField(
            model_name="revisionevent",
            name="author",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="revisionevent",
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
            model_name="revisionevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="lifecycle.revision",
            ),
        ),
        migrations.AddConstraint(
            model_name="example",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("customer", None), ("history__isnull", False)),
                    models.Q(("customer__isnull", False), ("history", None)),
                    _connector="OR",
                ),
                name="example_is_of_a_customer_or_made_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="example",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("at", None), ("day__gte", 1)),
                    models.Q(("at__isnull", False), ("day", None)),
                    _connector="OR",
                ),
                name="example_is_at_an_instant_or_on_a_day",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="example",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="example",
            trigger=pgtrigger.compiler.Trigger(
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
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="revision",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "lifecycle_revisionevent" ("author_id", "created_at", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "sub_rules") VALUES (NEW."author_id", NEW."created_at", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."published_at", NEW."sub_rules"); RETURN NULL;',
                    hash="4dd2374a2ff0cc5ceb409a269d0b36f6dd6a4ac6",
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
                    func='INSERT INTO "lifecycle_revisionevent" ("author_id", "created_at", "id", "note", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published_at", "sub_rules") VALUES (NEW."author_id", NEW."created_at", NEW."id", NEW."note", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."published_at", NEW."sub_rules"); RETURN NULL;',
                    hash="f6d9c036dc50f84421a38c980f5739a928df0454",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_195e1",
                    table="lifecycle_revision",
                    when="AFTER",
                ),
            ),
        ),
    ]

"""Seven migrations as one step, for a new database; what has the steps that it stands for goes on from them.

The state in which they leave a database, to the order of columns; what they did to rows of older databases is not here,
since a new one has none."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from clm.lib.tables_at_once import CreateModels


class Migration(migrations.Migration):
    replaces = [
        ("analytics", "0001_schema"),
        ("analytics", "0002_figures_per_day"),
        ("analytics", "0003_members_and_falls"),
        ("analytics", "0004_sort_keys_of_lists"),
        ("analytics", "0005_exports"),
        ("analytics", "0006_value_scores"),
        ("analytics", "0007_exports_as_workbooks"),
    ]

    initial = True

    dependencies = [
        ("access", "0003_last_seen_and_keys_of_people"),
        ("customers", "0008_who_is_anonymous"),
        ("lifecycle", "0006_faults"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels(
            operations=[
                migrations.CreateModel(
                    name="Activity",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "length",
                                "products_only",
                                "until",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("length", models.IntegerField()),
                        ("products_only", models.BooleanField()),
                        ("until", models.DateField()),
                        ("active", models.BigIntegerField()),
                        ("buyers", models.BigIntegerField()),
                        ("customers", models.BigIntegerField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Broken",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("identity", models.CharField(max_length=60)),
                        ("version", models.IntegerField()),
                        ("day", models.DateField()),
                        ("said", models.TextField()),
                        ("found_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Counting",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("statistic", models.CharField(max_length=40)),
                        (
                            "version",
                            models.IntegerField(
                                help_text="The stage model's or segment's version it speaks of, 0: of none."
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("started", "being counted"), ("done", "counted")], max_length=10
                            ),
                        ),
                        (
                            "basis",
                            models.TextField(
                                help_text="What else decides it: another time zone or other roles of types count anew."
                            ),
                        ),
                        ("known_at", models.DateTimeField()),
                        ("last_day", models.DateField(help_text="Stocks are kept up to this day.")),
                        ("next_customer", models.BigIntegerField(default=0)),
                        (
                            "moves_seen",
                            models.BigIntegerField(default=0, help_text="The last ProfileMove that is counted."),
                        ),
                        ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ("done_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("statistic", "version"), name="statistic_is_counted_once"),
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ["started", "done"])), name="counting_state_is_known"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Export",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        (
                            "asked_by",
                            models.CharField(
                                help_text="The name or address of whoever asked, as it was then.", max_length=254
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        (
                            "subject",
                            models.CharField(
                                choices=[("customers", "Customers"), ("touchpoints", "Touchpoints")], max_length=12
                            ),
                        ),
                        (
                            "format",
                            models.CharField(
                                choices=[("csv", "CSV"), ("xlsx", "XLSX"), ("jsonl", "JSONL")], max_length=8
                            ),
                        ),
                        ("dialect", models.CharField(choices=[("page", "a page"), ("api", "the API")], max_length=4)),
                        ("question", models.TextField(blank=True, default="")),
                        ("byte_order_mark", models.BooleanField(default=False)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "waiting"),
                                    ("running", "being made"),
                                    ("ready", "ready"),
                                    ("failed", "failed"),
                                    ("cancelled", "stopped"),
                                    ("expired", "expired"),
                                    ("streamed", "sent at once"),
                                ],
                                default="waiting",
                                max_length=10,
                            ),
                        ),
                        ("as_of", models.DateTimeField(null=True)),
                        ("rows", models.BigIntegerField(default=0)),
                        ("total", models.BigIntegerField(null=True)),
                        ("size", models.BigIntegerField(default=0, help_text="Bytes.")),
                        (
                            "file",
                            models.CharField(
                                blank=True, default="", help_text="Its name among the exports.", max_length=100
                            ),
                        ),
                        ("error", models.TextField(blank=True, default="")),
                        ("attempt", models.IntegerField(default=0)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("expires_at", models.DateTimeField(null=True)),
                        ("downloads", models.IntegerField(default=0)),
                        ("downloaded_at", models.DateTimeField(null=True)),
                        (
                            "key",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="access.apikey",
                            ),
                        ),
                        (
                            "user",
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
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state__in", ["waiting", "running", "ready"])),
                                fields=["id"],
                                name="export_open",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "state__in",
                                        ["waiting", "running", "ready", "failed", "cancelled", "expired", "streamed"],
                                    )
                                ),
                                name="export_state_is_known",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Fall",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "version", "customer", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("at", models.DateTimeField()),
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
                    ],
                ),
                migrations.CreateModel(
                    name="Listed",
                    fields=[
                        (
                            "customer",
                            models.OneToOneField(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                primary_key=True,
                                related_name="listed",
                                serialize=False,
                                to="customers.customer",
                            ),
                        ),
                        ("is_anonymous", models.BooleanField()),
                        ("last_seen", models.BigIntegerField()),
                        ("orders", models.BigIntegerField()),
                        ("revenue", models.BigIntegerField()),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["is_anonymous", "last_seen", "customer"], name="listed_by_last_seen"),
                            models.Index(fields=["is_anonymous", "orders", "customer"], name="listed_by_orders"),
                            models.Index(fields=["is_anonymous", "revenue", "customer"], name="listed_by_revenue"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Member",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "version",
                                "stage",
                                "customer",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
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
                ),
                migrations.CreateModel(
                    name="Revision",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("statistic", models.CharField(max_length=40)),
                        ("version", models.IntegerField()),
                        ("day", models.DateField()),
                        ("cell", models.IntegerField()),
                        ("revised_on", models.DateField()),
                        ("revised_at", models.DateTimeField()),
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
                        ("was", models.JSONField()),
                        ("became", models.JSONField()),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("statistic", "version", "day", "cell", "revised_on"),
                                name="figure_is_revised_once_a_day",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("cause__in", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])),
                                name="revision_cause_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SalesDay",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "day", "products_only", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("day", models.DateField()),
                        ("products_only", models.BooleanField()),
                        ("orders", models.BigIntegerField()),
                        ("unpriced", models.BigIntegerField()),
                        ("bought", models.BigIntegerField()),
                        ("refunded", models.BigIntegerField()),
                        ("buyers", models.BigIntegerField()),
                        ("first_paying", models.BigIntegerField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Score",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "scoring", "customer", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "scoring",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="analytics.scoring",
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
                        ("alive", models.FloatField(null=True)),
                        ("risk", models.FloatField(null=True)),
                        ("worth_12", models.BigIntegerField(null=True)),
                        ("worth_24", models.BigIntegerField(null=True)),
                        ("worth_36", models.BigIntegerField(null=True)),
                        ("alive_step", models.SmallIntegerField()),
                        ("risk_step", models.SmallIntegerField()),
                        ("worth_step", models.SmallIntegerField()),
                        ("silent_days", models.IntegerField()),
                        ("orders", models.IntegerField()),
                        ("revenue", models.BigIntegerField()),
                        ("rfm", models.SmallIntegerField()),
                    ],
                ),
                migrations.CreateModel(
                    name="Scoring",
                    fields=[
                        ("id", models.AutoField(primary_key=True, serialize=False)),
                        ("as_of", models.DateField()),
                        ("state", models.CharField(choices=[("started", "Started"), ("done", "Done")], max_length=10)),
                        ("basis", models.TextField()),
                        ("document", models.JSONField(default=dict)),
                        ("next_customer", models.BigIntegerField(default=0)),
                        ("customers", models.BigIntegerField(default=0)),
                        ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ("done_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ["started", "done"])), name="scoring_state_is_known"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "started")),
                                fields=("state",),
                                name="one_scoring_is_under_way",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Seen",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "source", "type", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("touchpoints", models.BigIntegerField()),
                        ("first_at", models.DateTimeField()),
                        ("last_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField()),
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
                    ],
                ),
                migrations.CreateModel(
                    name="StageDay",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "version", "day", "stage", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("day", models.DateField()),
                        ("customers", models.BigIntegerField()),
                        ("entered", models.BigIntegerField()),
                        ("left", models.BigIntegerField()),
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
                ),
                migrations.CreateModel(
                    name="StageMove",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "version",
                                "day",
                                "from_stage",
                                "to_stage",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("day", models.DateField()),
                        ("from_stage", models.IntegerField()),
                        ("to_stage", models.IntegerField()),
                        ("moves", models.BigIntegerField()),
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
                ),
                migrations.CreateModel(
                    name="StageShift",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "version",
                                "length",
                                "until",
                                "from_stage",
                                "to_stage",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("length", models.IntegerField()),
                        ("until", models.DateField()),
                        ("from_stage", models.IntegerField()),
                        ("to_stage", models.IntegerField()),
                        ("change", models.BigIntegerField()),
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
                ),
            ],
        ),
    ]

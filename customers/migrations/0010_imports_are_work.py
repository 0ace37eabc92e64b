"""Imports of people: what waits to be read, what was brought and can be taken back, and the states between."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0009_write_keys_and_possible_merges"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
            ],
        ),
        migrations.CreateModel(
            name="ImportRows",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("rows", models.IntegerField()),
                ("packed", models.BinaryField()),
            ],
            options={
                "verbose_name_plural": "import rows",
            },
        ),
        migrations.RemoveConstraint(
            model_name="import",
            name="import_state_is_known",
        ),
        migrations.AddField(
            model_name="import",
            name="checked",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="import",
            name="kind",
            field=models.CharField(
                choices=[("orders", "order lines"), ("rows", "people"), ("events", "messages")],
                default="orders",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="preset",
            field=models.CharField(blank=True, default="", max_length=60),
        ),
        migrations.AddField(
            model_name="import",
            name="told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="import",
            name="undone_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="import",
            name="state",
            field=models.CharField(
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
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(
                django.db.models.functions.text.Lower("address"),
                models.F("channel"),
                models.F("purpose"),
                name="consent_of_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["orders", "rows", "events"])), name="import_kind_is_known"
            ),
        ),
        migrations.AddField(
            model_name="importbrought",
            name="from_import",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="brought", to="customers.import"
            ),
        ),
        migrations.AddField(
            model_name="importcontent",
            name="from_import",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="content",
                to="customers.import",
            ),
        ),
        migrations.AddField(
            model_name="importrows",
            name="from_import",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="customers.import"
            ),
        ),
        migrations.AddConstraint(
            model_name="importcontent",
            constraint=models.UniqueConstraint(
                fields=("from_import", "number"), name="import_content_has_one_part_of_a_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="importrows",
            constraint=models.UniqueConstraint(
                fields=("from_import", "number"), name="import_rows_have_one_part_of_a_number"
            ),
        ),
    ]

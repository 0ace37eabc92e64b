"""Files that were taken away: by whom, of whom, when."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_last_seen_and_keys_of_people"),
        ("analytics", "0004_sort_keys_of_lists"),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "asked_by",
                    models.CharField(help_text="The name or address of whoever asked, as it was then.", max_length=254),
                ),
                ("asked_at", models.DateTimeField()),
                (
                    "subject",
                    models.CharField(
                        choices=[("customers", "Customers"), ("touchpoints", "Touchpoints")], max_length=12
                    ),
                ),
                ("format", models.CharField(choices=[("csv", "CSV"), ("jsonl", "JSONL")], max_length=8)),
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
                    models.CharField(blank=True, default="", help_text="Its name among the exports.", max_length=100),
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
    ]

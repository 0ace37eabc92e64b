"""Reports: what is sent, to whom, and what became of every mail."""

import datetime

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0011_exports_as_parquet"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("pages", models.JSONField()),
                ("span", models.CharField(default="asked", max_length=20)),
                (
                    "cadence",
                    models.CharField(
                        choices=[
                            ("never", "never by itself"),
                            ("daily", "every day"),
                            ("weekly", "every week"),
                            ("monthly", "every month"),
                        ],
                        default="never",
                        max_length=8,
                    ),
                ),
                ("weekday", models.SmallIntegerField(blank=True, help_text="0 is Monday.", null=True)),
                ("day", models.SmallIntegerField(blank=True, help_text="0 is the last day of the month.", null=True)),
                ("at", models.TimeField(default=datetime.time(8, 0))),
                ("with_csv", models.BooleanField(default=False)),
                ("with_xlsx", models.BooleanField(default=False)),
                ("site", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("handled_until", models.DateTimeField()),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Recipient",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("address", models.EmailField(blank=True, default="", max_length=254)),
                ("added_by", models.CharField(blank=True, default="", max_length=254)),
                ("added_at", models.DateTimeField()),
                ("left_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="recipients", to="analytics.report"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Mailing",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("due", "due"), ("test", "test"), ("preview", "preview")], default="due", max_length=8
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("asked_by", models.CharField(blank=True, default="", max_length=254)),
                ("missed", models.IntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting to be written"),
                            ("ready", "written"),
                            ("failed", "could not be written"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                ("try_at", models.DateTimeField()),
                ("error", models.TextField(blank=True, default="")),
                ("written_at", models.DateTimeField(null=True)),
                ("subject", models.CharField(blank=True, default="", max_length=250)),
                ("content", models.BinaryField(null=True)),
                (
                    "report",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mailings",
                        to="analytics.report",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Sending",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("address", models.EmailField(max_length=254)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sending", "being sent"),
                            ("sent", "sent"),
                            ("refused", "refused"),
                            ("unknown", "unknown"),
                            ("left_out", "left out"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                (
                    "forgiven",
                    models.SmallIntegerField(default=0, help_text="Attempts before somebody asked for it once more."),
                ),
                ("try_at", models.DateTimeField()),
                ("claimed_at", models.DateTimeField(null=True)),
                ("body_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("code", models.SmallIntegerField(help_text="What the mail server answered last.", null=True)),
                (
                    "words",
                    models.TextField(blank=True, default="", help_text="In its own words, or why nothing was sent."),
                ),
                (
                    "mailing",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sendings",
                        to="analytics.mailing",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="analytics.recipient",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cadence__in", ["never", "daily", "monthly"]),
                    models.Q(
                        ("cadence", "weekly"), ("weekday__gte", 0), ("weekday__isnull", False), ("weekday__lte", 6)
                    ),
                    _connector="OR",
                ),
                name="weekly_report_has_a_weekday",
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("cadence__in", ["never", "daily", "weekly"]),
                    models.Q(("cadence", "monthly"), ("day__gte", 0), ("day__isnull", False), ("day__lte", 31)),
                    _connector="OR",
                ),
                name="monthly_report_has_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("address", ""), ("user__isnull", False)),
                    models.Q(("user", None), models.Q(("address", ""), _negated=True)),
                    _connector="OR",
                ),
                name="recipient_is_a_user_or_an_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(fields=("report", "user"), name="a_user_receives_a_report_once"),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(
                models.F("report"),
                django.db.models.functions.text.Lower("address"),
                condition=models.Q(("user", None)),
                name="an_address_receives_a_report_once",
            ),
        ),
        migrations.AddIndex(
            model_name="mailing",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["try_at"], name="mailing_waiting"),
        ),
        migrations.AddIndex(
            model_name="mailing",
            index=models.Index(fields=["report", "-id"], name="mailing_of_report"),
        ),
        migrations.AddConstraint(
            model_name="mailing",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "due")),
                fields=("report", "due_at"),
                name="a_report_is_due_once_at_an_instant",
            ),
        ),
        migrations.AddConstraint(
            model_name="mailing",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "ready", "failed"])), name="mailing_state_is_known"
            ),
        ),
        migrations.AddIndex(
            model_name="sending",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "sending"])), fields=["try_at"], name="sending_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.UniqueConstraint(
                models.F("mailing"),
                django.db.models.functions.text.Lower("address"),
                name="an_address_is_sent_a_mailing_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "sending", "sent", "refused", "unknown", "left_out"])),
                name="sending_state_is_known",
            ),
        ),
    ]

"""What was taken away as files: by whom, of whom, when. The rows stay when the files are gone: they are the account of
what has left the house."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """One file, asked for, being made, ready, gone. The row is the work: whoever makes the file holds it by a lease and
    the number of its attempt, and starts over when another's lease has run out.

    question: the query of the list or the timeline, as its address had it; dialect: which address. as_of: the instant
    whose data it holds."""

    class Subject(models.TextChoices):
        CUSTOMERS = "customers", _("Customers")
        TOUCHPOINTS = "touchpoints", _("Touchpoints")

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"
        JSONL = "jsonl", "JSONL"
        PARQUET = "parquet", "Parquet"

    class Dialect(models.TextChoices):
        PAGE = "page", _("a page")
        API = "api", _("the API")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being made")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("stopped")
        EXPIRED = "expired", _("expired")
        STREAMED = "streamed", _("sent at once")

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    key = models.ForeignKey("access.ApiKey", models.SET_NULL, null=True, blank=True, related_name="+")
    asked_by = models.CharField(max_length=254, help_text=_("The name or address of whoever asked, as it was then."))
    asked_at = models.DateTimeField()
    subject = models.CharField(max_length=12, choices=Subject)
    format = models.CharField(max_length=8, choices=Format)
    dialect = models.CharField(max_length=4, choices=Dialect)
    question = models.TextField(blank=True, default="")
    byte_order_mark = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    as_of = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    size = models.BigIntegerField(default=0, help_text=_("Bytes."))
    file = models.CharField(max_length=100, blank=True, default="", help_text=_("Its name among the exports."))
    error = models.TextField(blank=True, default="")
    attempt = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    downloads = models.IntegerField(default=0)
    downloaded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # What is there to do: analytics.exports.jobs. A handful of rows.
            models.Index(
                fields=["id"], condition=models.Q(state__in=["waiting", "running", "ready"]), name="export_open"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["waiting", "running", "ready", "failed", "cancelled", "expired", "streamed"]
                ),
                name="export_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} as {self.format}: {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether somebody is still to work on it."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

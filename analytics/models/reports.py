"""Reports: pages of figures that are sent by mail. What is to be sent, to whom, and what became of every mail."""

from datetime import time

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from ..reports.schedule import DAILY, MONTHLY, NEVER, WEEKLY, Schedule


class Report(models.Model):
    """Pages of figures with what each is asked, sent to people when they are due.

    pages: a list of {"view", "question"}: a key of `analytics.reports.views` and the query of its address; span: the
    period they are about (`analytics.reports.spans`). handled_until: instants it was due at until then are dealt with.
    site: scheme and host that links in mails lead to, as whoever saved it saw this installation."""

    class Cadence(models.TextChoices):
        NEVER = NEVER, _("never by itself")
        DAILY = DAILY, _("every day")
        WEEKLY = WEEKLY, _("every week")
        MONTHLY = MONTHLY, _("every month")

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=100)
    pages = models.JSONField()
    span = models.CharField(max_length=20, default="asked")
    cadence = models.CharField(max_length=8, choices=Cadence, default=Cadence.NEVER)
    weekday = models.SmallIntegerField(null=True, blank=True, help_text=_("0 is Monday."))
    day = models.SmallIntegerField(null=True, blank=True, help_text=_("0 is the last day of the month."))
    at = models.TimeField(default=time(8))
    with_csv = models.BooleanField(default=False)
    with_xlsx = models.BooleanField(default=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    site = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    handled_until = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cadence__in=["never", "daily", "monthly"])
                | models.Q(cadence="weekly", weekday__isnull=False, weekday__gte=0, weekday__lte=6),
                name="weekly_report_has_a_weekday",
            ),
            models.CheckConstraint(
                condition=models.Q(cadence__in=["never", "daily", "weekly"])
                | models.Q(cadence="monthly", day__isnull=False, day__gte=0, day__lte=31),
                name="monthly_report_has_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def schedule(self) -> Schedule:
        """When it is due."""
        return Schedule(self.cadence, self.at, self.weekday, self.day)


class Recipient(models.Model):
    """Who receives a report: somebody who signs in here, or an address. left_at: when that somebody took himself off;
    the row stays, so that nobody else puts him on again."""

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.CASCADE, related_name="recipients")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    address = models.EmailField(max_length=254, blank=True, default="")
    added_by = models.CharField(max_length=254, blank=True, default="")
    added_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, address="") | (models.Q(user=None) & ~models.Q(address="")),
                name="recipient_is_a_user_or_an_address",
            ),
            models.UniqueConstraint(fields=["report", "user"], name="a_user_receives_a_report_once"),
            models.UniqueConstraint(
                "report",
                Lower("address"),
                condition=models.Q(user=None),
                name="an_address_receives_a_report_once",
            ),
        ]

    def __str__(self) -> str:
        return f"recipient {self.pk} of {self.report_id}"


class Mailing(models.Model):
    """A report at one instant it was due, or one that somebody asked for. It is written once; everybody is sent the
    same. content: what is sent (`analytics.reports.letters`), null before it is written; missed: how many earlier
    instants had passed while nobody was at work, and are left out."""

    class Kind(models.TextChoices):
        DUE = "due", _("due")
        TEST = "test", _("test")
        PREVIEW = "preview", _("preview")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting to be written")
        READY = "ready", _("written")
        FAILED = "failed", _("could not be written")

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.CASCADE, related_name="mailings", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.DUE)
    due_at = models.DateTimeField()
    asked_by = models.CharField(max_length=254, blank=True, default="")
    missed = models.IntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    try_at = models.DateTimeField()
    error = models.TextField(blank=True, default="")
    written_at = models.DateTimeField(null=True)
    subject = models.CharField(max_length=250, blank=True, default="")
    content = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["report", "due_at"], condition=models.Q(kind="due"), name="a_report_is_due_once_at_an_instant"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "ready", "failed"]), name="mailing_state_is_known"
            ),
        ]
        indexes = [
            # analytics.reports.writing: what is to be written; a handful of rows.
            models.Index(fields=["try_at"], condition=models.Q(state="waiting"), name="mailing_waiting"),
            # The history of a report.
            models.Index(fields=["report", "-id"], name="mailing_of_report"),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} due {self.due_at}: {self.state}"


class Sending(models.Model):
    """One mail to one address. The row is the work, and afterwards the account of it.

    claimed_at: when somebody took it in hand; body_at: written down before the first byte of the mail itself is handed
    over. Whoever is killed between the two has sent nothing; after body_at, and without an answer, nobody can know."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")
        LEFT_OUT = "left_out", _("left out")

    id = models.BigAutoField(primary_key=True)
    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="sendings", db_index=False)
    recipient = models.ForeignKey(Recipient, models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    address = models.EmailField(max_length=254)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    forgiven = models.SmallIntegerField(default=0, help_text=_("Attempts before somebody asked for it once more."))
    try_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    body_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    code = models.SmallIntegerField(null=True, help_text=_("What the mail server answered last."))
    words = models.TextField(blank=True, default="", help_text=_("In its own words, or why nothing was sent."))

    class Meta:
        constraints = [
            models.UniqueConstraint("mailing", Lower("address"), name="an_address_is_sent_a_mailing_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sending", "sent", "refused", "unknown", "left_out"]),
                name="sending_state_is_known",
            ),
        ]
        indexes = [
            # analytics.reports.sending: what is to be sent; a handful of rows.
            models.Index(fields=["try_at"], condition=models.Q(state__in=["waiting", "sending"]), name="sending_open"),
        ]

    def __str__(self) -> str:
        return f"mailing {self.mailing_id} to one: {self.state}"

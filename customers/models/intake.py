"""How facts get in: imports, what was refused, raw bodies, and the profiles whose customers must be looked at."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clm.lib.references import bare_reference


class Cause(models.IntegerChoices):
    """Why a customer is looked at again. The lowest number among several is the one that is told."""

    LIVE = 1, _("a touchpoint as it happened")
    TIME = 2, _("time alone")
    LATE = 3, _("a touchpoint that arrived late")
    IMPORT = 4, _("an import")
    MERGE = 5, _("a merge")
    UNMERGE = 6, _("an undone merge")
    ERASE = 7, _("an erasure")
    PUBLISH = 8, _("a published rule")
    MAPPING = 9, _("a changed mapping")
    PLACEMENT = 10, _("a placement by hand")
    ENGINE = 11, _("a new engine")


class Stale(models.Model):
    """A profile about which something new is known. Append-only and without uniqueness, so that writers never wait for
    each other; whoever brings the customer up to date deletes exactly the rows it read."""

    id = models.BigAutoField(primary_key=True)
    # Its index is the named one below.
    profile = models.ForeignKey(
        "customers.Profile", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    cause = models.SmallIntegerField(choices=Cause)
    attempts = models.SmallIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(cause__in=Cause.values), name="stale_cause_is_known")]
        indexes = [
            # What is new about locked customers: lifecycle/sql/stale_of.sql.
            models.Index(fields=["profile"], name="stale_of_profile"),
        ]

    def __str__(self) -> str:
        return f"profile {self.profile_id}"


# So long after its end an import can be taken back.
UNDO_DAYS = 30


class Import(models.Model):
    """One file brought in. Progress and accounts are written with the rows they speak of, in one transaction, so a
    killed import goes on where it stopped. lines_read = lines_used + the lines set aside, always.

    kind: files of order lines, of people (rows), or of messages (events); told_at: since when what the file says holds,
    where a row does not say it itself; checked: what the dry run counted, for the mapping as it stands."""

    class State(models.TextChoices):
        DRAFT = "draft", _("being prepared")
        CHECKING = "checking", _("being tried")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("stopped")
        UNDOING = "undoing", _("being taken back")
        UNDONE = "undone", _("taken back")

    class Kind(models.TextChoices):
        ORDERS = "orders", _("order lines")
        ROWS = "rows", _("people")
        EVENTS = "events", _("messages")

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="imports")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ORDERS)
    preset = models.CharField(max_length=60, blank=True, default="")
    file_name = models.TextField()
    file_sha256 = models.CharField(max_length=64)
    file_bytes = models.BigIntegerField()
    mapping = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    progress = models.JSONField(default=dict, help_text=_("Where to go on after a stop."))
    lines_read = models.BigIntegerField(default=0)
    lines_used = models.BigIntegerField(default=0)
    set_aside = models.JSONField(
        default=dict, help_text=_('By reason: {"lines": n, "amount": minor units, "ranges": [[first, last], ...]}.')
    )
    counts = models.JSONField(default=dict, help_text=_("Touchpoints new, repeated and conflicting; customers new."))
    error = models.TextField(blank=True, default="")
    told_at = models.DateTimeField(null=True, blank=True)
    checked = models.JSONField(null=True, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
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
                    ]
                ),
                name="import_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["orders", "rows", "events"]), name="import_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def lines_set_aside(self) -> int:
        return self.lines_read - self.lines_used

    @property
    def undo_until(self) -> datetime | None:
        """Until when it can be taken back; None before its end."""
        return None if self.finished_at is None else self.finished_at + timedelta(days=UNDO_DAYS)


class ImportContent(models.Model):
    """A stretch of a file as it was uploaded, packed. In the database and not beside it: whoever works on it may run on
    another machine."""

    id = models.BigAutoField(primary_key=True)
    from_import = models.ForeignKey(Import, models.CASCADE, db_index=False, related_name="content")
    number = models.IntegerField()
    packed = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["from_import", "number"], name="import_content_has_one_part_of_a_number"),
        ]

    def __str__(self) -> str:
        return f"part {self.number} of import {self.from_import_id}"


class ImportRows(models.Model):
    """Some hundred rows of a file, as cells with their line numbers, packed: what is stored in one transaction, and
    counted as done with it."""

    id = models.BigAutoField(primary_key=True)
    from_import = models.ForeignKey(Import, models.CASCADE, db_index=False, related_name="rows")
    number = models.IntegerField()
    rows = models.IntegerField()
    packed = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["from_import", "number"], name="import_rows_have_one_part_of_a_number"),
        ]
        verbose_name_plural = "import rows"

    def __str__(self) -> str:
        return f"rows {self.number} of import {self.from_import_id}"


class ImportBrought(models.Model):
    """What one transaction of an import stored or found stored by an earlier file, by id: what an undo takes back."""

    id = models.BigAutoField(primary_key=True)
    from_import = models.ForeignKey(Import, models.CASCADE, related_name="brought")
    touchpoints = ArrayField(models.BigIntegerField(), default=list)
    tellings = ArrayField(models.BigIntegerField(), default=list)
    identities = ArrayField(models.BigIntegerField(), default=list)
    consents = ArrayField(models.BigIntegerField(), default=list)
    affiliations = ArrayField(models.BigIntegerField(), default=list)
    merges = ArrayField(models.BigIntegerField(), default=list)
    accounts = models.JSONField(
        default=list,
        help_text=_(
            'What known companies were told anew: [{"account", "name": [before, told], "properties": {key: {"before", '
            '"told"}}}], without "before" what was not said before.'
        ),
    )
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "import brought"

    def __str__(self) -> str:
        return f"what import {self.from_import_id} brought, {self.pk}"


class Reject(models.Model):
    """A message or a line that could not be used: why, where, and what it said."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey("customers.Source", models.CASCADE, related_name="rejects")
    from_import = models.ForeignKey(Import, models.CASCADE, null=True, blank=True, related_name="rejects")
    line_number = models.BigIntegerField(null=True, blank=True)
    path = models.TextField(blank=True, default="")
    reason = models.TextField()
    raw = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.reason


class RawBody(models.Model):
    """Bodies of messages exactly as they arrived, apart from everything else, in weekly partitions that are dropped
    after 30 days (see `customers.partitions`): those of the messages that one transaction stored, packed;
    message_hash is the first of them. Without messages it is one body, as it is (`customers.raw_bodies`)."""

    pk = models.CompositePrimaryKey("received_at", "source", "message_hash")
    received_at = models.DateTimeField()
    source = bare_reference("customers.Source")
    message_hash = models.UUIDField()
    body = models.BinaryField()
    messages = ArrayField(models.UUIDField(), null=True)

    class Meta:
        managed = False  # partitioned: made by a migration of its own
        db_table = "customers_rawbody"

    def __str__(self) -> str:
        return str(self.message_hash)

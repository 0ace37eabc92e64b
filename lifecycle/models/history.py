"""Where customers stood and stand. Written by `lifecycle.advance` alone.

Rows point at customers without foreign keys in the database: they are written by the million under the customer's lock,
which is what keeps them true."""

import pghistory
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clm.lib.references import bare_reference
from customers.models import Cause

from .definitions import Stage, Subject, Version


class Transition(models.Model):
    """A customer entered a stage. The spell ends with the next believed transition of the same version; none lies in
    the future. superseded_at is when we stopped believing it."""

    # Not indexed in the database (migration 0007): rows are found by customer, version and instant.
    id = models.BigAutoField(primary_key=True)
    customer = bare_reference("customers.Customer")
    version = bare_reference(Version)
    stage = bare_reference(Stage)
    entered_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    cause = models.SmallIntegerField(choices=Cause)

    class Meta:
        constraints = [
            # Also every read of believed history: lifecycle/sql/believed.sql, index-only.
            models.UniqueConstraint(
                fields=["customer", "version", "entered_at"],
                condition=models.Q(superseded_at=None),
                include=["stage"],
                name="customer_enters_one_stage_at_an_instant",
            ),
            models.CheckConstraint(
                condition=models.Q(entered_at__lte=models.F("recorded_at")), name="transition_lies_not_in_the_future"
            ),
            models.CheckConstraint(
                condition=models.Q(superseded_at=None) | models.Q(superseded_at__gte=models.F("recorded_at")),
                name="transition_is_superseded_after_it_was_recorded",
            ),
            models.CheckConstraint(condition=models.Q(cause__in=Cause.values), name="transition_cause_is_known"),
        ]
        indexes = [
            # What was believed at an earlier instant, and repair notes: the few rows no longer believed.
            models.Index(
                fields=["customer", "version"],
                condition=models.Q(superseded_at__isnull=False),
                name="transition_superseded",
            ),
            # What is believed differently since some instant: analytics/sql/days_changed.sql.
            BrinIndex(
                fields=["recorded_at", "superseded_at"], autosummarize=True, pages_per_range=64, name="transition_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} entered {self.stage_id} at {self.entered_at}"


class Standing(models.Model):
    """Where a customer stands now, one row per customer and subject, and what was last told of it.

    No index on what changes, so that an update stays on its page (HOT)."""

    pk = models.CompositePrimaryKey("customer", "subject")
    customer = bare_reference("customers.Customer")
    subject = bare_reference(Subject)
    stage = bare_reference(Stage)
    since = models.DateTimeField()
    told_stage = bare_reference(Stage)
    told_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.stage_id}"


class Due(models.Model):
    """No stage or segment of the customer changes by time alone before due_at: a lower bound, moved earlier at once and
    later only when it fires. No row: never."""

    customer = models.OneToOneField(
        "customers.Customer", models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    due_at = models.DateTimeField()

    class Meta:
        indexes = [
            # The tick: lifecycle/sql/due.sql.
            models.Index(fields=["due_at"], name="due_next"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} at {self.due_at}"


class HotCustomer(models.Model):
    """A customer with so many touchpoints that it is brought up to date at most once a minute."""

    customer = models.OneToOneField(
        "customers.Customer", models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    touchpoints = models.BigIntegerField()
    not_before = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.touchpoints}"


class Parked(models.Model):
    """A customer that could not be brought up to date, with the error. Nobody else waits for it."""

    customer = models.OneToOneField(
        "customers.Customer", models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    error = models.TextField()
    trouble = models.TextField(blank=True, default="", help_text=_("The class of the error, and where it was raised."))
    attempts = models.PositiveIntegerField(default=1)
    parked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.error[:60]}"


class Fault(models.Model):
    """The program raises the same for customers who have nothing to do with each other. While it stands nobody is
    parked for it, what waits is kept, and advance only tries now and then whether it is mended."""

    id = models.AutoField(primary_key=True)
    trouble = models.TextField(unique=True, help_text=_("The class of the error, and where it was raised."))
    error = models.TextField()
    customers = models.PositiveIntegerField(default=0, help_text=_("How many raised it at once, at the most."))
    tries = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    retry_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.trouble


@pghistory.track()
class Placement(models.Model):
    """A stage set by hand on [from_at, until_at), a fact laid over the rules. Of overlapping ones the later recorded
    counts. It hangs on a profile as touchpoints do, so it is the customer's who has the profile."""

    id = models.BigAutoField(primary_key=True)
    profile = models.ForeignKey("customers.Profile", models.PROTECT, related_name="+")
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+")
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reason = models.TextField()
    recorded_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until_at=None) | models.Q(until_at__gt=models.F("from_at")),
                name="placement_ends_after_it_starts",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="placement_states_its_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} in {self.stage_id}"


class Announcement(models.Model):
    """A change that was told, in the order readers follow it: `sequence` is given by one sequencer after the commit,
    because serial ids commit out of order. `is_news`: it is fresh enough for campaigns and webhooks to act on."""

    class Kind(models.TextChoices):
        TRANSITION = "transition", _("a change")
        CORRECTION = "correction", _("a correction")

    id = models.BigAutoField(primary_key=True)
    sequence = models.BigIntegerField(null=True, unique=True)
    customer = bare_reference("customers.Customer")
    subject = bare_reference(Subject)
    version = bare_reference(Version)
    from_stage = bare_reference(Stage, null=True)
    stage = bare_reference(Stage)
    kind = models.CharField(max_length=12, choices=Kind)
    entered_at = models.DateTimeField()
    told_at = models.DateTimeField()
    cause = models.SmallIntegerField(choices=Cause)
    is_news = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["transition", "correction"]), name="announcement_kind_is_known"
            ),
            models.CheckConstraint(condition=models.Q(cause__in=Cause.values), name="announcement_cause_is_known"),
        ]
        indexes = [
            # The sequencer: lifecycle/sql/sequence.sql.
            models.Index(fields=["id"], condition=models.Q(sequence=None), name="announcement_unsequenced"),
            # What was told about one customer.
            models.Index(fields=["customer", "id"], name="announcement_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} entered {self.stage_id}"

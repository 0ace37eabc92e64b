"""Money that no exchange rate was known for when it arrived, and what becomes of it when a rate does."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clm.lib.references import bare_reference

from .identity import Profile
from .touchpoint import Touchpoint


class Conversion(models.Model):
    """The work that a new exchange rate leaves: all stored touchpoints of its currency without an amount, from the
    first id to the last. next_touchpoint is committed with what was converted before it, so that a stopped one goes on
    there.

    total: how many there were when it began; looked_at: how many so far; converted: how many have an amount now."""

    id = models.AutoField(primary_key=True)
    currency = models.CharField(max_length=3)
    next_touchpoint = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    looked_at = models.BigIntegerField(default=0)
    converted = models.BigIntegerField(default=0)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["currency"],
                condition=Q(finished_at=None, failed_at=None),
                name="one_conversion_of_a_currency_runs_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"conversion {self.pk} of {self.currency}"


class Rereading(models.Model):
    """The work that another mapping of names leaves, or a fault in reading that was mended: the amounts of all stored
    touchpoints of some names, read anew, from the first id to the last. next_touchpoint is committed with what was read
    before it, so that a stopped one goes on there.

    names: {name: {"role_before", "former": where its messages were read before}}; change: the number of the change that
    asks for it; total: the last id when it began; looked_at, changed: how many touchpoints so far."""

    id = models.AutoField(primary_key=True)
    names = models.JSONField()
    change = models.IntegerField(null=True)
    next_touchpoint = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    looked_at = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"rereading {self.pk}"


class AmountChange(models.Model):
    """A touchpoint was given its amount after it was stored, or another one: the one thing about it that ever changes.
    Figures that were counted before `recorded_at` counted it with the amount before, without one where that is NULL.
    Append-only."""

    id = models.BigAutoField(primary_key=True)
    touchpoint = bare_reference(Touchpoint)
    profile = bare_reference(Profile)
    amount = models.BigIntegerField()
    amount_before = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            # What was converted since figures were counted last: analytics/sql/days_sales.sql and its neighbours.
            models.Index(fields=["recorded_at"], name="amount_changed"),
        ]

    def __str__(self) -> str:
        return f"touchpoint {self.touchpoint_id} is worth {self.amount}"

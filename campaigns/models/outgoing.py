"""Webhooks: who wants to be told of what, what is to be delivered, and every attempt to do so.

Nothing here holds a name or an address of a customer: what is told are ids, stages and segments."""

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


@pghistory.track(
    model_name="EndpointEvent",
    fields=["url", "description", "events", "model_keys", "segment_keys", "takes_history", "disabled_at"],
)
class Endpoint(models.Model):
    """An address that is told of changes.

    events: the types it wants; model_keys, segment_keys: what it is narrowed to, empty for all; takes_history: also
    changes that are no news (imports, corrections of the past). The secret is never kept: it is made of `salt` and the
    key of this installation (`campaigns.outgoing.signing`); `fingerprint` tells whether the key is still the same."""

    id = models.BigAutoField(primary_key=True)
    url = models.TextField(_("address"))
    description = models.CharField(_("what it is for"), max_length=200, blank=True, default="")
    events = ArrayField(models.CharField(max_length=40))
    model_keys = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    segment_keys = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    takes_history = models.BooleanField(default=False)
    salt = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=16)
    former_salt = models.CharField(max_length=64, blank=True, default="")
    former_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_because = models.TextField(blank=True, default="")
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.IntegerField(default=0, help_text=_("In a row, over all deliveries."))
    paused_until = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.description or self.url


class Resending(models.Model):
    """Everything an endpoint would have been told since an instant, to be told once more, read from the logs portion
    by portion."""

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="resendings")
    since = models.DateTimeField()
    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField()
    announcement = models.BigIntegerField(default=0, help_text=_("The place in the log that was read last."))
    merge = models.BigIntegerField(default=0, help_text=_("The entry of the log of merges that was read last."))
    until_announcement = models.BigIntegerField()
    until_merge = models.BigIntegerField()
    deliveries = models.BigIntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # campaigns.outgoing.plan: what is left to do; hardly ever anything.
            models.Index(fields=["id"], condition=models.Q(done_at=None), name="resending_open"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} since {self.since}"


class Delivery(models.Model):
    """One event that one endpoint is told, until it has answered or is given up. The order of ids is the order in which
    a customer's events are told.

    event: the stable id that receivers know repetitions by; customer, other: whose it is (a merge is about two)."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries", db_index=False)
    event = models.CharField(max_length=40)
    type = models.CharField(max_length=40)
    customer = models.BigIntegerField(null=True)
    other = models.BigIntegerField(null=True)
    body = models.TextField()
    resending = models.ForeignKey(Resending, models.CASCADE, null=True, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    forgiven = models.SmallIntegerField(default=0, help_text=_("Attempts before somebody asked for it once more."))
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event"],
                condition=models.Q(resending=None),
                name="event_is_planned_once_for_an_endpoint",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "delivered", "given_up"]), name="delivery_state_is_known"
            ),
        ]
        indexes = [
            # campaigns/sql/deliveries_due.sql: what is due, and whether something earlier of the customer is open.
            models.Index(fields=["endpoint", "due_at"], condition=models.Q(state="waiting"), name="delivery_due"),
            models.Index(
                fields=["endpoint", "customer", "id"], condition=models.Q(state="waiting"), name="delivery_of_customer"
            ),
            models.Index(
                fields=["endpoint", "other", "id"],
                condition=models.Q(state="waiting", other__isnull=False),
                name="delivery_of_other",
            ),
            # The list of an endpoint's deliveries.
            models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint"),
            # campaigns.outgoing.forget
            models.Index(fields=["finished_at"], name="delivery_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event}: {self.state}"


class Attempt(models.Model):
    """One try to deliver, written before anything is sent: whoever is killed in between leaves a row without an
    end."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    number = models.SmallIntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    status = models.SmallIntegerField(null=True, help_text=_("What the other side answered; null: it did not."))
    trouble = models.CharField(max_length=200, blank=True, default="")
    excerpt = models.TextField(blank=True, default="", help_text=_("The beginning of the answer."))
    milliseconds = models.IntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempts_are_numbered")]

    def __str__(self) -> str:
        return f"{self.delivery_id} #{self.number}: {self.status or self.trouble}"


class Reading(models.Model):
    """How far the logs are read: what comes after is still to be planned. One row, locked by whoever plans, so ids of
    deliveries commit in their order."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    announcement = models.BigIntegerField()
    merge = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_reading")]

    def __str__(self) -> str:
        return f"{self.announcement}, {self.merge}"

"""Touchpoints: what happened, when, over which channel, for how much; and the catalogue that gives them meaning.

The touchpoint table is built for 100 million rows: every replay is one index-only scan of `touchpoint_replay`, so rows
are never updated (erasure alone blanks text) and every further index must name the query that needs it."""

import pghistory
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clm.lib.references import bare_reference


class Role(models.TextChoices):
    """What a type of touchpoint means for the lifecycle."""

    EXPOSURE = "exposure", _("Exposure")
    VISIT = "visit", _("Visit")
    SIGNUP = "signup", _("Sign-up")
    SUBSCRIBE = "subscribe", _("Subscribe")
    CANCEL = "cancel", _("Cancel")
    ONBOARDING = "onboarding", _("Onboarding")
    USAGE = "usage", _("Usage")
    CART = "cart", _("Cart")
    CHECKOUT = "checkout", _("Checkout")
    PURCHASE = "purchase", _("Purchase")
    REFUND = "refund", _("Refund")
    UPGRADE = "upgrade", _("Upgrade")
    SUPPORT = "support", _("Support")
    FEEDBACK = "feedback", _("Feedback")
    REVIEW = "review", _("Review")
    REFERRAL = "referral", _("Referral")
    SHARE = "share", _("Share")
    OTHER = "other", _("Other")


@pghistory.track()
class Source(models.Model):
    """Where touchpoints come from: a website, an app, a file, a person typing."""

    id = models.AutoField(primary_key=True)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(max_length=20, default="api")
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text=_("The zone of local times that carry no offset of their own.")
    )
    currency = models.CharField(max_length=3, blank=True, default="")
    shift_days = models.IntegerField(
        default=0, help_text=_("Whole days of local time by which demonstration data was moved; 0 for real data.")
    )
    is_simulated = models.BooleanField(default=False)
    write_key_hash = models.CharField(max_length=64, blank=True, default="")
    former_key_hash = models.CharField(
        max_length=64, blank=True, default="", help_text=_("The key before the last rotation, which opens for a while.")
    )
    former_key_until = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["write_key_hash"], condition=~models.Q(write_key_hash=""), name="write_key_opens_one_source"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class TouchpointType(models.Model):
    """A name that sources send, and the role it is mapped to. The role is looked up when rules are evaluated, through
    the table kept in the version, so a change of mapping is a new version. reads: where its messages say what an order
    needs, if not where everybody says it (`customers.mapped_types`); mapped_at: when people mapped it last."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=200, unique=True)
    role = models.CharField(max_length=20, choices=Role, default=Role.OTHER)
    reads = models.JSONField(default=dict, blank=True, db_default={})
    mapped_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="touchpoint_role_is_known")
        ]

    def __str__(self) -> str:
        return self.name


class Channel(models.Model):
    """Over which way a touchpoint happened: web, e-mail, phone, store."""

    id = models.SmallAutoField(primary_key=True)
    key = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.key


class Touchpoint(models.Model):
    """One interaction at one instant over one channel.

    occurred_at is when it happened, received_at when we learnt of it, both UTC and cut to the millisecond. amount is in
    minor units of the reporting currency (refunds negative), NULL when none was given or no rate is known;
    original_amount and currency are as sent. body_hash tells a repeated message from a conflicting one."""

    class Flag(models.IntegerChoices):
        """Bits of `flags`."""

        CLAMPED = 1, _("its time lay in the future and was set to its arrival")
        NO_RATE = 2, _("no exchange rate was known")
        TAGGED = 4, _("has lines that are not products, such as postage")

    # Columns stand in the order in which they pack without padding, widest first.
    id = models.BigAutoField(primary_key=True)
    # Foreign keys of this table are checked by the insert itself; deferred triggers would cost a third of its rate.
    profile = bare_reference("customers.Profile", related_name="touchpoints")
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    amount = models.BigIntegerField(null=True)
    body_hash = models.BigIntegerField()
    message_hash = models.UUIDField()
    source = bare_reference(Source)
    type = bare_reference(TouchpointType)
    channel = bare_reference(Channel)
    flags = models.SmallIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True, default="")
    original_amount = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    order_ref = models.TextField(blank=True, default="")
    properties = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "message_hash"], name="message_is_stored_once"),
            models.CheckConstraint(
                condition=models.Q(occurred_at__lte=models.F("received_at")),
                name="touchpoint_lies_not_after_its_arrival",
            ),
            models.CheckConstraint(
                condition=models.Q(occurred_at__gte="1990-01-01T00:00:00Z"), name="touchpoint_lies_not_before_1990"
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=-(10**11), amount__lt=10**11) | models.Q(amount=None),
                name="amount_is_below_10_to_the_11_minor_units",
            ),
            models.CheckConstraint(
                condition=models.Q(original_amount=None)
                | models.Q(original_amount__gt=-(10**14), original_amount__lt=10**14),
                name="original_amount_is_a_number",
            ),
        ]
        indexes = [
            # Every replay and every advance: lifecycle/sql/history.sql, index-only.
            models.Index(
                fields=["profile", "occurred_at"], include=["type", "channel", "amount"], name="touchpoint_replay"
            ),
            # The search for an order's number: analytics/search.py. Orders and refunds alone are in it.
            models.Index(fields=["order_ref"], condition=~models.Q(order_ref=""), name="touchpoint_order"),
            # Money that no rate was known for: customers/sql/unconverted.sql, analytics/sql/unconverted_days.sql.
            # Hardly any rows are in it.
            models.Index(
                fields=["currency", "id"],
                condition=models.Q(amount=None, original_amount__isnull=False),
                name="touchpoint_unconverted",
            ),
            # What customers answer and ask: analytics/sql/feedback_answers.sql, support_tickets.sql. Of all
            # touchpoints one in twenty or so says something of the kind; the others cost a look at their properties and
            # no entry.
            models.Index(
                fields=["occurred_at", "id"],
                condition=models.Q(
                    properties__has_any_keys=["nps", "csat", "ces", "survey", "ticket_ref", "ticket_id"]
                ),
                name="touchpoint_told",
            ),
            # What arrived since daily figures were counted last: analytics/sql/days_arrivals.sql, days_seen.sql. Rows
            # lie in the order of their arrival, so the newest few ranges of pages are all there is to read.
            BrinIndex(fields=["received_at"], autosummarize=True, name="touchpoint_received"),
        ]

    def __str__(self) -> str:
        return f"touchpoint {self.pk}"


class OrderLine(models.Model):
    """One line of an order: what was bought, how many, for how much. `is_product` is false for postage, fees and other
    lines that a switch leaves out of product figures."""

    id = models.BigAutoField(primary_key=True)
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, db_constraint=False, related_name="lines")
    number = models.IntegerField()
    product = models.TextField()
    description = models.TextField(blank=True, default="")
    category = models.TextField(blank=True, default="")
    quantity = models.DecimalField(max_digits=14, decimal_places=3)
    amount = models.BigIntegerField()
    cost = models.BigIntegerField(null=True)
    is_product = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product}"


class PropertyKey(models.Model):
    """A property that a live or draft rule names: its values are kept in PropertyValue from its registration on,
    and backfilled for all earlier touchpoints. backfilled_upto: the touchpoint up to which that is done, while it is
    under way; backfilled_at: when it was complete."""

    id = models.AutoField(primary_key=True)
    key = models.CharField(max_length=200, unique=True)
    registered_at = models.DateTimeField(default=timezone.now)
    backfilled_upto = models.BigIntegerField(null=True)
    backfilled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key


class PropertyValue(models.Model):
    """The value of a named property of one touchpoint, with what a replay knows the touchpoint by: `where` never
    reads the wide rows. text is the string itself, a number's digits, true or false; null properties have no row."""

    class Kind(models.IntegerChoices):
        STRING = 1
        NUMBER = 2
        BOOLEAN = 3
        OTHER = 4  # a list or an object: it exists, and satisfies no other test

    pk = models.CompositePrimaryKey("touchpoint", "property_key")
    touchpoint = bare_reference(Touchpoint)
    property_key = bare_reference(PropertyKey)
    profile = bare_reference("customers.Profile")
    type = bare_reference(TouchpointType)
    channel = bare_reference(Channel)
    occurred_at = models.DateTimeField()
    amount = models.BigIntegerField(null=True)
    kind = models.SmallIntegerField(choices=Kind)
    text = models.TextField()

    class Meta:
        indexes = [
            # lifecycle/sql/property_values.sql: the named properties of some profiles.
            models.Index(fields=["profile", "property_key"], name="property_value_replay"),
        ]

    def __str__(self) -> str:
        return f"{self.property_key_id} of {self.touchpoint_id}"

"""What is counted per day and kept, so that a dashboard reads some hundred rows instead of all history.

Every kept number is a sum over customers of something that one customer's history says (`analytics.days.differences`).
So when a customer's history changes, what it said before is taken off and what it says now is added, and every day the
change touches is right again, however late the news came: nothing is marked to be summed up anew, because summing up
one day means reading everybody. Both histories are at hand, since facts and transitions say when they became known and
when they were given up: "before" is what was known when the figures were counted last.

Finding what is new costs a BRIN index on Touchpoint.received_at and one on (recorded_at, superseded_at) of Transition.
Rows lie in the order in which they were recorded, so these indexes are a few pages, and what they cost COPY stands in
bench/RESULTS.md. Days are days of the business time zone; a row that is absent counts zero."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from clm.lib.references import bare_reference
from customers.models import Cause, Source, TouchpointType
from lifecycle.models import Stage, Version


class Counting(models.Model):
    """How far one declared statistic is counted (`analytics.days.declared`).

    started: it is being counted anew, customer by customer from `next_customer` on, as known at `known_at`; a killed
    count goes on from there. done: everything recorded before `known_at` is in it, every earlier day is finished, and
    the day of `known_at` is counted so far. The rows and this mark are written in one transaction, so that no fact is
    ever counted twice or not at all."""

    class State(models.TextChoices):
        STARTED = "started", _("being counted")
        DONE = "done", _("counted")

    id = models.AutoField(primary_key=True)
    statistic = models.CharField(max_length=40)
    version = models.IntegerField(help_text="The stage model's or segment's version it speaks of, 0: of none.")
    state = models.CharField(max_length=10, choices=State)
    basis = models.TextField(help_text="What else decides it: another time zone or other roles of types count anew.")
    known_at = models.DateTimeField()
    last_day = models.DateField(help_text="Stocks are kept up to this day.")
    next_customer = models.BigIntegerField(default=0)
    moves_seen = models.BigIntegerField(default=0, help_text="The last ProfileMove that is counted.")
    started_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["statistic", "version"], name="statistic_is_counted_once"),
            models.CheckConstraint(condition=models.Q(state__in=["started", "done"]), name="counting_state_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.statistic} {self.version}: {self.state}"


class StageDay(models.Model):
    """Customers in a stage at the end of a day, and how many spells in it began and ended that day."""

    pk = models.CompositePrimaryKey("version", "day", "stage")
    version = bare_reference(Version)
    day = models.DateField()
    stage = bare_reference(Stage)
    customers = models.BigIntegerField()
    entered = models.BigIntegerField()
    left = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.stage_id}: {self.customers}"


class StageMove(models.Model):
    """How often somebody went from one stage to another on a day; from_stage 0: from none."""

    pk = models.CompositePrimaryKey("version", "day", "from_stage", "to_stage")
    version = bare_reference(Version)
    day = models.DateField()
    from_stage = models.IntegerField()
    to_stage = models.IntegerField()
    moves = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.from_stage} to {self.to_stage}: {self.moves}"


class StageShift(models.Model):
    """Customers by their stage at the start and at the end of the `length` days before the day `until`.

    Kept are the changes from one `until` to the next: a figure is the sum of all up to its `until`. One transition is
    felt by as many windows as they are long, but changes only two of these rows. Rows beyond today say what will leave
    the window if nothing else happens."""

    pk = models.CompositePrimaryKey("version", "length", "until", "from_stage", "to_stage")
    version = bare_reference(Version)
    length = models.IntegerField()
    until = models.DateField()
    from_stage = models.IntegerField()
    to_stage = models.IntegerField()
    change = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.length} days until {self.until}, {self.from_stage} to {self.to_stage}: {self.change:+d}"


class Member(models.Model):
    """Who is in which stage, found by the stage. Standing has no index on what changes, so that advance writes in
    place; this is its copy for lists of large installations, as old as the figures beside it."""

    pk = models.CompositePrimaryKey("version", "stage", "customer")
    version = bare_reference(Version)
    stage = bare_reference(Stage)
    customer = bare_reference("customers.Customer")

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.stage_id}"


class Fall(models.Model):
    """A customer who will enter the model's stage of lapsed customers at an instant, by time alone. Every touchpoint
    may move it, so it is computed for everybody now and then, and says of when it is."""

    pk = models.CompositePrimaryKey("version", "customer")
    version = bare_reference(Version)
    customer = bare_reference("customers.Customer")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.customer_id} at {self.at}"


class Listed(models.Model):
    """What lists of customers are sorted by, as known at the mark of its statistic. last_seen: the last touchpoint in
    milliseconds since 1970, 0 for never; orders, revenue: as in `customer_figures`. Those who are merged into others
    are not in it."""

    customer = models.OneToOneField(
        "customers.Customer", models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="listed"
    )
    is_anonymous = models.BooleanField()
    last_seen = models.BigIntegerField()
    orders = models.BigIntegerField()
    revenue = models.BigIntegerField()

    class Meta:
        indexes = [
            # The list in each order, in either direction: analytics.listing_order.
            models.Index(fields=["is_anonymous", "last_seen", "customer"], name="listed_by_last_seen"),
            models.Index(fields=["is_anonymous", "orders", "customer"], name="listed_by_orders"),
            models.Index(fields=["is_anonymous", "revenue", "customer"], name="listed_by_revenue"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.last_seen}"


class SalesDay(models.Model):
    """What was bought and refunded on a day, in minor units; products_only: without lines that are not products.

    buyers: customers with an order that day; first_paying: those whose first order ever it was."""

    pk = models.CompositePrimaryKey("day", "products_only")
    day = models.DateField()
    products_only = models.BooleanField()
    orders = models.BigIntegerField()
    unpriced = models.BigIntegerField()
    bought = models.BigIntegerField()
    refunded = models.BigIntegerField()
    buyers = models.BigIntegerField()
    first_paying = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day}: {self.orders} orders"


class Activity(models.Model):
    """Customers of the `length` days before the day `until`: active at some instant of them, with an order in them,
    and either. As in StageShift, kept are changes from one `until` to the next."""

    pk = models.CompositePrimaryKey("length", "products_only", "until")
    length = models.IntegerField()
    products_only = models.BooleanField()
    until = models.DateField()
    active = models.BigIntegerField()
    buyers = models.BigIntegerField()
    customers = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.length} days until {self.until}: {self.customers:+d}"


class Seen(models.Model):
    """What a source has sent of a type, over its whole life."""

    pk = models.CompositePrimaryKey("source", "type")
    source = bare_reference(Source)
    type = bare_reference(TouchpointType)
    touchpoints = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.source_id}: {self.touchpoints} of {self.type_id}"


class StagePack(models.Model):
    """The believed transitions of a range of customers under a version, each column strung together as COPY sends its
    values, in order of customer and instant: millions of rows are read in one piece (`analytics.days.packs`)."""

    pk = models.CompositePrimaryKey("version", "part")
    version = bare_reference(Version)
    part = models.IntegerField()
    customers = models.BinaryField()
    instants = models.BinaryField()
    stages = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.version_id}, part {self.part}"


class BegunPack(models.Model):
    """When customers of a range were touched first and when they signed up (infinity: never), strung together as in
    StagePack."""

    part = models.IntegerField(primary_key=True)
    customers = models.BinaryField()
    touches = models.BinaryField()
    signups = models.BinaryField()

    def __str__(self) -> str:
        return f"part {self.part}"


class SoldPack(models.Model):
    """The purchases and refunds of a range of customers, strung together as in StagePack."""

    part = models.IntegerField(primary_key=True)
    customers = models.BinaryField()
    instants = models.BinaryField()
    amounts = models.BinaryField()
    products = models.BinaryField()
    purchases = models.BinaryField()

    def __str__(self) -> str:
        return f"part {self.part}"


# Why a figure moved besides the causes of looking at a customer again: nobody's stage depends on it.
CONVERTED = 12
CAUSES = [*Cause.choices, (CONVERTED, _("money that was converted, now that its rate is known"))]


class Revision(models.Model):
    """A finished day's figure that moved: what it was when the day `revised_on` began, what it is, and why.

    `cell` is the stage, or 1 for products only and 0 for all lines of sales."""

    id = models.BigAutoField(primary_key=True)
    statistic = models.CharField(max_length=40)
    version = models.IntegerField()
    day = models.DateField()
    cell = models.IntegerField()
    revised_on = models.DateField()
    revised_at = models.DateTimeField()
    cause = models.SmallIntegerField(choices=CAUSES)
    was = models.JSONField()
    became = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["statistic", "version", "day", "cell", "revised_on"], name="figure_is_revised_once_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(cause__in=[number for number, _label in CAUSES]), name="revision_cause_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statistic} of {self.day}: {self.was} to {self.became}"


class Broken(models.Model):
    """An identity between kept figures that did not hold after the last count: a mistake of the program."""

    id = models.AutoField(primary_key=True)
    identity = models.CharField(max_length=60)
    version = models.IntegerField()
    day = models.DateField()
    said = models.TextField()
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.identity}: {self.said}"

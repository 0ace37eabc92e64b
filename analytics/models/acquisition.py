"""How customers were won: one row for each of whom a marketing touch or an order is known, sums of these rows, and one
row for each order.

Every sum is over customers of what one row says (`analytics.attribution.sums`), so when a customer's history changes,
what its row said is taken off and what the new one says is added; nothing is summed up anew. Days are days of the
business time zone, months are counted from the year 0; a row that is absent counts zero."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Acquired(models.Model):
    """The way of one customer to the first order, or, of somebody who has not ordered, to the last touch.

    day: of the first order, or of the last touch; revenue: what the first order came to, refunds that name it taken
    off; value: the same of all orders so far, minor units; channels, ages: the touches of the path in order of time,
    and how many seconds each lies before its end, of the longest window; months, amounts: what came in which month
    after that of the first order."""

    customer = models.OneToOneField(
        "customers.Customer", models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    day = models.DateField()
    is_paying = models.BooleanField()
    revenue = models.BigIntegerField()
    value = models.BigIntegerField()
    channels = ArrayField(models.SmallIntegerField())
    ages = ArrayField(models.IntegerField())
    months = ArrayField(models.SmallIntegerField())
    amounts = ArrayField(models.BigIntegerField())

    class Meta:
        indexes = [
            # Who is behind the credit of a channel, and ways to first orders of a period:
            # analytics/sql/acquired_between.sql, acquired_rows.sql.
            models.Index(fields=["day"], condition=models.Q(is_paying=True), name="acquired_on_day"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} on {self.day}"


class OrderPath(models.Model):
    """The way of a customer to one order: what credit of every order is counted from.

    order: the id of its touchpoint; day: of the order; revenue: what it came to, refunds that name it taken off, minor
    units; channels, ages: the touches before it as in Acquired, those before an earlier order included."""

    order = models.BigIntegerField(primary_key=True)
    customer = models.ForeignKey(
        "customers.Customer", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    day = models.DateField()
    revenue = models.BigIntegerField()
    channels = ArrayField(models.SmallIntegerField())
    ages = ArrayField(models.IntegerField())

    class Meta:
        indexes = [
            # Whoever changed is read anew: analytics/sql/order_paths_kept.sql.
            models.Index(fields=["customer"], name="order_path_of_customer"),
            # Credit of every order of a period: analytics/sql/order_path_rows.sql.
            models.Index(fields=["day"], name="order_path_on_day"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} on {self.day}: {self.revenue}"


class CreditDay(models.Model):
    """What one attribution model credits a channel with, of the customers whose first order lies on a day: how many
    have any credit with it, and its parts of customers (in millionths), of first orders and of value so far (minor
    units). channel 0: of those without a touch within the `lookback` days before."""

    pk = models.CompositePrimaryKey("lookback", "model", "day", "channel")
    lookback = models.SmallIntegerField()
    model = models.SmallIntegerField()
    day = models.DateField()
    channel = models.SmallIntegerField()
    customers = models.BigIntegerField()
    conversions = models.BigIntegerField()
    revenue = models.BigIntegerField()
    value = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.model} {self.channel}: {self.conversions}"


class PathStep(models.Model):
    """How often one channel followed another in paths that end on a day. source 0: a path begins; target -1: it ends
    with an order, -2: with nothing so far."""

    pk = models.CompositePrimaryKey("lookback", "day", "source", "target")
    lookback = models.SmallIntegerField()
    day = models.DateField()
    source = models.SmallIntegerField()
    target = models.SmallIntegerField()
    steps = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.source} to {self.target}: {self.steps}"


class CohortMonth(models.Model):
    """What the customers who first ordered in a month brought in the `later`-th month after it, minor units."""

    pk = models.CompositePrimaryKey("month", "later")
    month = models.IntegerField()
    later = models.SmallIntegerField()
    revenue = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.month} + {self.later}: {self.revenue}"


class CohortDraw(models.Model):
    """The customers who first ordered in a month, and the same drawn again many times, each customer as often as its
    number says (`analytics.attribution.draws`): what intervals are read from. value: of all orders so far."""

    month = models.IntegerField(primary_key=True)
    customers = models.BigIntegerField()
    value = models.BigIntegerField()
    drawn_customers = ArrayField(models.BigIntegerField())
    drawn_value = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"{self.month}: {self.customers}"

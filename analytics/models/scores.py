"""Scores of customers, computed here and read by rules only in declared steps."""

from django.db import models
from django.db.models.functions import Now

from clm.lib.references import bare_reference


class Scoring(models.Model):
    """One fit of the value models to everybody as of the end of a day, and how far everybody is scored by it.

    started: customers from `next_customer` on are still to be scored; a killed job goes on from there. done: `document`
    says what was found and how it was proved (`analytics.value.documents`). The done one of the latest day is what
    pages show; of earlier ones those of the ends of months are kept. basis: what it rests on; when it differs, all is
    scored anew. erasures: the last erasure whose customer is not among its scores any more. next_told: from which
    customer on rules are still to be told the steps (`analytics.value.telling`), NULL where nothing is to be told."""

    class State(models.TextChoices):
        STARTED = "started"
        DONE = "done"

    id = models.AutoField(primary_key=True)
    as_of = models.DateField()
    state = models.CharField(max_length=10, choices=State)
    basis = models.TextField()
    document = models.JSONField(default=dict)
    next_customer = models.BigIntegerField(default=0)
    customers = models.BigIntegerField(default=0)
    next_told = models.BigIntegerField(null=True)
    erasures = models.BigIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["started", "done"]), name="scoring_state_is_known"),
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="started"), name="one_scoring_is_under_way"
            ),
        ]

    def __str__(self) -> str:
        return f"scores of {self.as_of}: {self.state}"


class Score(models.Model):
    """What one scoring says of a customer who has bought, or who pays for a contract that runs.

    alive: the probability that it is not lost; risk: that it orders nothing within the days the scoring names; worth_*:
    the revenue expected within 12, 24 and 36 months, discounted, in minor units; NULL where the data do not tell. Steps
    are what rules and lists see: tenths of a probability, tenths of all customers by worth; 0: not told. silent_days,
    orders, revenue: recency, frequency and monetary value, rfm their three classes as one number (0: under contract);
    renewals: whole months of a contract that runs, NULL without one."""

    pk = models.CompositePrimaryKey("scoring", "customer")
    scoring = bare_reference(Scoring)
    customer = bare_reference("customers.Customer")
    alive = models.FloatField(null=True)
    risk = models.FloatField(null=True)
    worth_12 = models.BigIntegerField(null=True)
    worth_24 = models.BigIntegerField(null=True)
    worth_36 = models.BigIntegerField(null=True)
    alive_step = models.SmallIntegerField()
    risk_step = models.SmallIntegerField()
    worth_step = models.SmallIntegerField()
    silent_days = models.IntegerField()
    orders = models.IntegerField()
    revenue = models.BigIntegerField()
    rfm = models.SmallIntegerField()
    renewals = models.IntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.alive}"

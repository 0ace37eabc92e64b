"""Scores of customers, computed here and read by rules only in declared steps."""

from django.db import models


class Score(models.Model):
    """One computed score of a customer: the latest, and those of month ends."""

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey("customers.Customer", models.DO_NOTHING, db_constraint=False, related_name="+")
    name = models.CharField(max_length=60)
    as_of = models.DateField()
    is_latest = models.BooleanField(default=True)
    value = models.FloatField()
    step = models.SmallIntegerField()
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "name", "as_of"], name="score_is_one_per_day"),
            models.UniqueConstraint(
                fields=["customer", "name"], condition=models.Q(is_latest=True), name="one_score_is_the_latest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"

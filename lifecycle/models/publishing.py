"""What a publish works out before it asks everybody to wait."""

from django.db import models

from clm.lib.references import bare_reference

from .definitions import Stage, Version


class Move(models.Model):
    """How the standing of one customer changes in the moment its version goes live. Worked out beside the work, applied
    in that moment, deleted after it."""

    class Change(models.TextChoices):
        NEW = "new"
        MOVED = "moved"
        GONE = "gone"

    pk = models.CompositePrimaryKey("version", "customer")
    version = bare_reference(Version)
    customer = bare_reference("customers.Customer")
    change = models.CharField(max_length=5, choices=Change)
    from_stage = bare_reference(Stage, null=True)
    stage = bare_reference(Stage)
    since = models.DateTimeField()
    announcement = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(change__in=["new", "moved", "gone"]), name="move_is_of_a_known_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.version_id}: {self.change}"


class Touched(models.Model):
    """A customer advanced while a version is being built: its move, if it was worked out already, is to be worked out
    again. Appended by whoever advances, deleted by whoever publishes."""

    id = models.BigAutoField(primary_key=True)
    customer = bare_reference("customers.Customer")

    def __str__(self) -> str:
        return str(self.customer_id)

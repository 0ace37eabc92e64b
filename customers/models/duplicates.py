"""Looking for people who are in here twice: one pass over all customers, and what it remembers meanwhile."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from clm.lib.references import bare_reference

from .identity import Customer


class DuplicateSearch(models.Model):
    """One pass over all customers in search of duplicates. progress is committed with what it speaks of, so a stopped
    pass goes on where it was: {"phase": "keys" or "pairs", "after": the last customer or key, "last": the last customer
    there was}. counts: customers looked at, pairs compared, pairs new to the queue."""

    id = models.BigAutoField(primary_key=True)
    asked_at = models.DateTimeField(default=timezone.now)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    is_running = models.BooleanField(default=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    progress = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_running"],
                condition=models.Q(is_running=True),
                name="one_search_for_duplicates_runs_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(is_running=True, finished_at=None)
                | models.Q(is_running=False, finished_at__isnull=False),
                name="search_for_duplicates_runs_or_is_finished",
            ),
        ]
        verbose_name_plural = "duplicate searches"

    def __str__(self) -> str:
        return f"search {self.pk}"


class DuplicateKey(models.Model):
    """What a customer may have in common with a duplicate, as a number whose lowest bits say what it is (see
    `customers.duplicates`). Kept while a search runs."""

    pk = models.CompositePrimaryKey("key", "customer")
    key = models.BigIntegerField()
    customer = bare_reference(Customer)

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.key}"

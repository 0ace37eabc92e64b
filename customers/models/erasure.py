"""Those who asked to be forgotten: what is left of an erasure, which names nobody."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from clm.lib.references import bare_reference

from .identity import Customer


class ErasedIdentifier(models.Model):
    """A keyed hash of an identifier somebody asked us to forget: nothing brings it back unnoticed. met: how many
    messages and lines have named it since, and when the last one did."""

    digest = models.CharField(max_length=64, unique=True)
    erased_at = models.DateTimeField(default=timezone.now)
    met = models.BigIntegerField(default=0, db_default=0)
    met_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.digest[:12]


class Erasure(models.Model):
    """A customer was erased. At `at` everything that names the person was gone from what we know of it; what was
    written about it elsewhere (properties of touchpoints, raw bodies, refused lines, kept answers) is looked through in
    parts until finished_at. wanted: what is looked for there, emptied with the last part; progress: how far that is;
    counts: how many rows of each kind were erased."""

    id = models.BigAutoField(primary_key=True)
    customer = bare_reference(Customer)
    at = models.DateTimeField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)
    wanted = models.JSONField(default=list)
    progress = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(finished_at=None) | models.Q(wanted=[]), name="finished_erasure_knows_no_names"
            ),
        ]
        indexes = [
            # What there is to do: customers/erase.py.
            models.Index(fields=["id"], condition=models.Q(finished_at=None), name="erasure_unfinished"),
        ]

    def __str__(self) -> str:
        return f"customer {self.customer_id} at {self.at}"

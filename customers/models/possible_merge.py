"""Two people who may be one: what a machine must not decide."""

from django.db import models
from django.utils import timezone

from clm.lib.references import bare_reference

from .identity import Profile
from .touchpoint import Source


class PossibleMerge(models.Model):
    """A message called two people one who both have a name. A row of the review queue: profile and other are the two
    (the lower id first), kind and value the identity that was told of the second while it was known as the first's."""

    id = models.BigAutoField(primary_key=True)
    profile = bare_reference(Profile)
    other = bare_reference(Profile)
    kind = models.CharField(max_length=40)
    value = models.CharField(max_length=512)
    source = bare_reference(Source)
    found_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "other"], name="possible_merge_is_told_once"),
            models.CheckConstraint(
                condition=models.Q(profile__lt=models.F("other")), name="possible_merge_is_of_two_profiles"
            ),
        ]
        indexes = [
            # How many names were met under one id: receiving/joining.py.
            models.Index(fields=["kind", "value"], name="possible_merge_evidence"),
        ]

    def __str__(self) -> str:
        return f"profiles {self.profile_id} and {self.other_id}"

"""Two people who may be one: what a machine must not decide."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clm.lib.references import bare_reference

from .identity import Merge, Profile
from .touchpoint import Source

# What a pair is known by that no message named together: the finder of duplicates found it alike.
ALIKE = "alike"


class PossibleMerge(models.Model):
    """Two people who both have a name and may be one: a row of the review queue, until somebody decides. profile and
    other are the two (the lower id first). Either a message called them one: kind and value are the identity that was
    told of the second while it was known as the first's. Or they look alike: kind is ALIKE, and evidence says in how
    many percent of what, {"name": 92, "email": 100}. score: how likely, in percent. A pair that was decided is not
    asked about again."""

    class Decision(models.TextChoices):
        MERGED = "merged", _("made one")
        REFUSED = "refused", _("are two")

    id = models.BigAutoField(primary_key=True)
    profile = bare_reference(Profile)
    other = bare_reference(Profile)
    kind = models.CharField(max_length=40)
    value = models.CharField(max_length=512, blank=True, default="")
    source = bare_reference(Source, null=True)
    score = models.SmallIntegerField(default=100, db_default=100)
    evidence = models.JSONField(default=dict)
    found_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=10, choices=Decision, blank=True, default="", db_default="")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    merge = models.ForeignKey(Merge, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "other"], name="possible_merge_is_told_once"),
            models.CheckConstraint(
                condition=models.Q(profile__lt=models.F("other")), name="possible_merge_is_of_two_profiles"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_at=None, decision="")
                | models.Q(decided_at__isnull=False, decision__in=["merged", "refused"]),
                name="possible_merge_is_open_or_decided",
            ),
            models.CheckConstraint(
                condition=models.Q(score__gte=0, score__lte=100), name="possible_merge_score_is_a_percentage"
            ),
        ]
        indexes = [
            # How many names were met under one id: review.py.
            models.Index(fields=["kind", "value"], name="possible_merge_evidence"),
            # The pairs of some profiles, together with possible_merge_is_told_once: sql/possible_merges_decide.sql.
            models.Index(fields=["other", "profile"], name="possible_merge_of_other"),
            # The queue, all of it and by what pairs are known: analytics/review.py.
            models.Index(fields=["score", "id"], condition=models.Q(decided_at=None), name="possible_merge_queue"),
            models.Index(
                fields=["kind", "score", "id"], condition=models.Q(decided_at=None), name="possible_merge_queue_by_kind"
            ),
            # What was decided, last first: analytics/review.py.
            models.Index(fields=["decision", "id"], condition=~models.Q(decision=""), name="possible_merge_decided"),
        ]

    def __str__(self) -> str:
        return f"profiles {self.profile_id} and {self.other_id}"

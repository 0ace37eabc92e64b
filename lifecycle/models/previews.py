"""What is being counted for everybody before it is decided, and what was decided to go live."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .definitions import Revision


class Preview(models.Model):
    """An exact count over all customers, bucket by bucket: of what a revision would change, or for whom a rule holds.
    All of it is asked about one instant, and kept: it is not counted again."""

    id = models.AutoField(primary_key=True)
    revision = models.ForeignKey(Revision, models.CASCADE, null=True, blank=True, related_name="previews")
    rule = models.JSONField(null=True, blank=True)
    # What is held against what: [[subject, live version or null, drafted version], ...]
    pairs = models.JSONField(default=list)
    at = models.DateTimeField()
    since = models.DateTimeField()
    result = models.JSONField(null=True, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(revision=None, rule__isnull=False) | Q(revision__isnull=False, rule=None),
                name="preview_is_of_a_revision_or_a_rule",
            ),
        ]
        indexes = [
            # What there is to do: lifecycle/previews.py.
            models.Index(fields=["id"], condition=Q(finished_at=None, failed_at=None), name="preview_unfinished"),
        ]

    def __str__(self) -> str:
        return f"preview {self.pk}"


class PreviewBucket(models.Model):
    """One contiguous range of customer ids of a preview; done_at is committed with what was counted in it. Deleted
    when the preview is finished."""

    preview = models.ForeignKey(Preview, models.CASCADE, related_name="buckets")
    bucket = models.BigIntegerField()
    done_at = models.DateTimeField(null=True)
    customers = models.BigIntegerField(default=0)
    result = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["preview", "bucket"], name="preview_visits_a_bucket_once")]

    def __str__(self) -> str:
        return f"bucket {self.bucket} of preview {self.preview_id}"


class Publication(models.Model):
    """Somebody's wish that a revision goes live. It is done by whoever works next, and says what came of it. estimate:
    what was known of its effect when it was asked for, if that was an estimate; null where everybody was counted."""

    revision = models.OneToOneField(Revision, models.CASCADE, primary_key=True, related_name="publication")
    asked_at = models.DateTimeField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    began_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refusal = models.TextField(blank=True, default="")
    estimate = models.JSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(refused_at=None), name="publication_is_finished_or_refused"
            ),
        ]

    def __str__(self) -> str:
        return f"publication of revision {self.revision_id}"

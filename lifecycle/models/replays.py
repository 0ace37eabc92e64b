"""A replay of all customers: which buckets are done, so that it can be stopped, shared and resumed."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.models import Cause


class Replay(models.Model):
    """One pass over all customers, bucket by bucket."""

    cause = models.SmallIntegerField(choices=Cause, default=Cause.ENGINE)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cause"], condition=Q(finished_at=None), name="one_replay_of_a_cause_runs_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"replay {self.pk}"


class ReplayBucket(models.Model):
    """One contiguous range of customer ids of a replay; done_at is committed with the rows it wrote."""

    replay = models.ForeignKey(Replay, models.CASCADE, related_name="buckets")
    bucket = models.BigIntegerField()
    done_at = models.DateTimeField(null=True)
    customers = models.BigIntegerField(default=0)
    touchpoints = models.BigIntegerField(default=0)
    rows_changed = models.BigIntegerField(default=0)
    rows_by_time = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["replay", "bucket"], name="replay_visits_a_bucket_once")]

    def __str__(self) -> str:
        return f"bucket {self.bucket} of replay {self.replay_id}"

"""What experiments were last counted to say, before anybody asked."""

from django.db import models

from campaigns.models import Experiment


class ExperimentCount(models.Model):
    """What the facts said of an experiment when a worker last looked: counting everybody takes seconds, and no page
    should. A copy; whoever finds it too old counts anew.

    until_at: what happened until then is in it; counted_at: when that was begun, and took how many seconds; state: that
    of the experiment then, with the instant at which everybody was assigned; types, metrics: what was counted, as
    `analytics.experiments.documents` writes it."""

    experiment = models.OneToOneField(Experiment, models.CASCADE, primary_key=True, related_name="+")
    until_at = models.DateTimeField()
    counted_at = models.DateTimeField()
    seconds = models.FloatField()
    state = models.CharField(max_length=60)
    types = models.JSONField()
    metrics = models.JSONField()

    def __str__(self) -> str:
        return f"{self.experiment_id} until {self.until_at}"

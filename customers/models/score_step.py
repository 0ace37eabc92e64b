"""Scores as rules see them."""

from django.db import models

from clm.lib.references import bare_reference

from .identity import Profile


class ScoreStep(models.Model):
    """What was told of a profile's customer from an instant on: the step of each score, 0 where a score is not told.

    Append-only, a row only when one of them differs from what the row before it says; hangs on the profile, as traits
    do, so that merging and unmerging moves no row. set_at is when the program came to say so: what arrives late changes
    later scores, and none of the past. Which scores there are and what they are called: `customers.score_steps`."""

    pk = models.CompositePrimaryKey("profile", "set_at")
    # Checked by `customers/score_steps_add`, which reads the profile; in the order in which it packs.
    profile = bare_reference(Profile)
    set_at = models.DateTimeField()
    alive = models.SmallIntegerField()
    risk = models.SmallIntegerField()
    worth = models.SmallIntegerField()
    recency = models.SmallIntegerField()
    frequency = models.SmallIntegerField()
    monetary = models.SmallIntegerField()

    class Meta:
        indexes = [
            # Since when scores are told: analytics.scores.scores_told_since. Instants rise, and thousands of rows share
            # each: it is some bytes a row, written at its end alone.
            models.Index(fields=["set_at"], name="score_step_told"),
        ]

    def __str__(self) -> str:
        return f"profile {self.profile_id} at {self.set_at}"

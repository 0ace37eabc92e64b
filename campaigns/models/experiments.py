"""Experiments: who was given which variant, stored when it was given, so that results are of what was done and not of
what would be done today."""

import pghistory
import pgtrigger
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from clm.lib.references import bare_reference


@pghistory.track(
    model_name="ExperimentEvent",
    fields=["key", "name", "hypothesis", "planned", "mode", "metrics", "started_at", "stopped_at", "ended_at"],
)
class Experiment(models.Model):
    """A question put to customers: what becomes of them under which variant.

    audience: the segment whose members take part, None: everybody. salt: makes its assignment independent of all others
    (`clm.lib.assignment`). planned: customers in all variants together that are needed before a verdict. metrics, all
    settled before the start: documents {"kind": conversion, revenue or reached, "days", and of reached "model" and
    "stage" or "segment"; of a peek-safe one also "tau"}. started_at: whoever the audience holds is assigned from then
    on, customer by customer up to `assigned_upto`; assigned_at: all of them are. stopped_at: nobody is assigned any
    more; ended_at: nothing later counts; told: what its results rest on as of then (a document of
    `analytics.experiments.ending`, which workers fill in metric by metric), since facts that come later would change
    them; counted_at: all of that is there. One that ended before such documents were kept has neither."""

    class Mode(models.TextChoices):
        FIXED = "fixed", _("fixed horizon: one verdict, when the planned number is reached")
        PEEK_SAFE = "peek_safe", _("peek-safe: may be looked at, and decided, at any time")

    id = models.AutoField(primary_key=True)
    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    hypothesis = models.TextField(blank=True, default="")
    salt = models.CharField(max_length=32, unique=True)
    audience = models.ForeignKey("lifecycle.Subject", models.PROTECT, null=True, blank=True, related_name="experiments")
    planned = models.BigIntegerField()
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.FIXED)
    metrics = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    assigned_upto = models.BigIntegerField(default=0)
    assigned_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    told = models.JSONField(null=True)
    counted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mode__in=["fixed", "peek_safe"]), name="experiment_mode_is_known"
            ),
            models.CheckConstraint(condition=models.Q(planned__gte=2), name="experiment_plans_at_least_two"),
            models.CheckConstraint(
                condition=models.Q(started_at__isnull=False)
                | models.Q(assigned_at=None, stopped_at=None, ended_at=None),
                name="experiment_starts_before_anything_else",
            ),
            models.CheckConstraint(
                condition=models.Q(counted_at=None) | models.Q(ended_at__isnull=False, told__isnull=False),
                name="experiment_is_counted_once_it_has_ended",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """draft, assigning, running, stopped, ending (what it found is being counted) or ended."""
        if self.started_at is None:
            return "draft"
        if self.ended_at is not None:
            return "ending" if self.told is not None and self.counted_at is None else "ended"
        if self.stopped_at is not None:
            return "stopped"
        return "assigning" if self.assigned_at is None else "running"


class Variant(models.Model):
    """One of the things that customers are given. The one at position 0 is the control, which the others are compared
    with. weight: its share is this of the sum of all weights."""

    id = models.AutoField(primary_key=True)
    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="variants")
    position = models.SmallIntegerField()
    key = models.SlugField(max_length=60)
    weight = models.IntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "position"], name="variants_stand_in_an_order"),
            models.UniqueConstraint(fields=["experiment", "key"], name="variant_key_is_unique_in_its_experiment"),
            models.CheckConstraint(condition=models.Q(weight__gte=1, weight__lte=10_000), name="variant_has_a_weight"),
        ]

    def __str__(self) -> str:
        return self.key


@pgtrigger.register(
    pgtrigger.Protect(name="assignment_is_never_changed", operation=pgtrigger.Update | pgtrigger.Delete)
)
class Assignment(models.Model):
    """What a customer was given, and when. It hangs on a profile, as facts do, so it follows merges and their undoing;
    unit: the id of the customer that was hashed."""

    id = models.BigAutoField(primary_key=True)
    experiment = bare_reference(Experiment)
    variant = bare_reference(Variant)
    profile = bare_reference("customers.Profile")
    unit = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            # Also who takes part: analytics/sql/experiment_results.sql.
            models.UniqueConstraint(fields=["experiment", "profile"], name="profile_is_assigned_once"),
        ]
        indexes = [
            # Whether a customer takes part already: campaigns/sql/experiment_candidates.sql, and erasures.
            models.Index(fields=["profile"], name="assignment_of_profile"),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id}: {self.variant_id}"

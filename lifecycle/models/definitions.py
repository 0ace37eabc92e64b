"""What stages and segments mean: documents in numbered versions, of which one is live."""

from typing import ClassVar

import pghistory
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


@pghistory.track()
class SubRule(models.Model):
    """A named rule that stage models and segments share. Versions keep the text they were built with."""

    name = models.CharField(max_length=100, unique=True)
    document = models.JSONField()
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Revision(models.Model):
    """One change of definitions: the versions drafted for it go live together, and with them the texts of the sub-rules
    it changes, {name: document}, and what the names of touchpoints mean, {name: {"role", "reads", "was": {"role",
    "reads"}}}."""

    id = models.AutoField(primary_key=True)
    sub_rules = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict, blank=True, db_default={})
    note = models.TextField(blank=True, default="")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"revision {self.pk}"


class RoleTable(models.Model):
    """The roles of all touchpoint types, {name: role}, as one or more versions see them. Never changed once written."""

    id = models.AutoField(primary_key=True)
    roles = models.JSONField()
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"roles {self.digest[:8]}"


@pghistory.track()
class Subject(models.Model):
    """What a version is a version of: a stage model or a segment. Both sort customers into stages over time; a segment
    has two, in and out."""

    id = models.AutoField(primary_key=True)

    class Kind(models.TextChoices):
        MODEL = "model", _("Stage model")
        SEGMENT = "segment", _("Segment")
        LIST = "list", _("Static list")

    kind = models.CharField(max_length=10, choices=Kind)
    key = models.SlugField(max_length=60)
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(blank=True, default="")
    position = models.IntegerField(default=0)
    is_default = models.BooleanField(default=False, help_text=_("Pages show this model unless told otherwise."))
    live_version = models.ForeignKey("Version", models.PROTECT, null=True, blank=True, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["model", "segment", "list"]), name="subject_kind_is_known"
            ),
            models.UniqueConstraint(fields=["key"], condition=models.Q(kind="model"), name="stage_model_key_is_unique"),
            models.UniqueConstraint(fields=["key"], condition=~models.Q(kind="model"), name="segment_key_is_unique"),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_stage_model_is_the_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class _Models(models.Manager["StageModel"]):
    def get_queryset(self) -> "models.QuerySet[StageModel]":
        return super().get_queryset().filter(kind=Subject.Kind.MODEL)


class StageModel(Subject):
    """A set of stages with precedence; every customer is in at most one of them at a time."""

    objects: ClassVar[_Models] = _Models()

    class Meta:
        proxy = True


class _Segments(models.Manager["Segment"]):
    def get_queryset(self) -> "models.QuerySet[Segment]":
        return super().get_queryset().exclude(kind=Subject.Kind.MODEL)


class Segment(Subject):
    """A rule or a list; a customer is in it or not."""

    objects: ClassVar[_Segments] = _Segments()

    class Meta:
        proxy = True


@pghistory.track()
class Stage(models.Model):
    """One stage of a model, the same in all its versions; of a segment: `in` and `out`."""

    id = models.AutoField(primary_key=True)
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="stages")
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=100)
    position = models.IntegerField(default=0, help_text=_("The order on pages, apart from precedence."))
    is_exit = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "key"], name="stage_key_is_unique_in_its_model"),
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(is_exit=True), name="model_has_at_most_one_exit_stage"
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Version(models.Model):
    """Everything that decides where customers stand: the rule document with its sub-rules and the segments and models
    it names, L, the time zone, the zone data, the roles of types and the engine. A published version never changes."""

    id = models.AutoField(primary_key=True)

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        BUILDING = "building", _("building")
        LIVE = "live", _("live")
        RETIRED = "retired", _("retired")

    subject = models.ForeignKey(Subject, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    document = models.JSONField(
        help_text=_(
            'A model: {"stages": [{"key", "rule"}, ...] lowest precedence first, "exit": key}; a segment: {"rule"}, '
            "null for a static list."
        )
    )
    sub_rules = models.JSONField(default=dict)
    definitions = models.JSONField(
        default=dict,
        help_text=_('What its rules name: {"segments": {key: ...}, "models": {key: ...}}, as `parse_rule` takes them.'),
    )
    revision = models.ForeignKey(Revision, models.PROTECT, null=True, blank=True, related_name="versions")
    lapse_days = models.PositiveIntegerField()
    time_zone = models.CharField(max_length=64)
    tzdata = models.CharField(max_length=20)
    role_table = models.ForeignKey(RoleTable, models.PROTECT, related_name="+")
    minor_digits = models.SmallIntegerField(default=2)
    engine = models.PositiveIntegerField()
    note = models.TextField(blank=True, default="")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "number"], name="version_number_is_unique"),
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(state="live"), name="subject_has_one_live_version"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "building", "live", "retired"]), name="version_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_id} v{self.number}"


@pghistory.track()
class ListMember(models.Model):
    """A customer put on a list from an instant, until taken off. The list of a static list is all there is to it; other
    segments have one of whom they include, whatever their rule says, and one of whom they exclude, which wins."""

    id = models.BigAutoField(primary_key=True)
    segment = models.ForeignKey(Subject, models.CASCADE, related_name="list_members")
    profile = models.ForeignKey("customers.Profile", models.CASCADE, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    is_excluded = models.BooleanField(default=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(removed_at=None) | models.Q(removed_at__gt=models.F("added_at")),
                name="list_member_is_removed_after_being_added",
            ),
            models.UniqueConstraint(
                fields=["segment", "profile", "is_excluded"],
                condition=models.Q(removed_at=None),
                name="list_member_is_on_a_list_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} on {self.segment_id}"


@pghistory.track()
class Example(models.Model):
    """What must come true of a stage model or a segment: a customer, or a made-up history, must be in that stage (None:
    in none) at an instant, or on a day of its life. A version that breaks an example is not published."""

    id = models.AutoField(primary_key=True)
    subject = models.ForeignKey(Subject, models.CASCADE, related_name="examples")
    name = models.CharField(max_length=200)
    customer = models.ForeignKey("customers.Customer", models.CASCADE, null=True, blank=True, related_name="+")
    history = models.JSONField(
        null=True, blank=True, help_text=_('{"touchpoints": [...], "traits": [...]} as the trial of a rule takes them.')
    )
    at = models.DateTimeField(null=True, blank=True)
    day = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Local day of the life, from 1; its last instant is meant.")
    )
    stage = models.ForeignKey(Stage, models.PROTECT, null=True, blank=True, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(customer=None, history__isnull=False)
                | models.Q(customer__isnull=False, history=None),
                name="example_is_of_a_customer_or_made_up",
            ),
            models.CheckConstraint(
                condition=models.Q(at=None, day__gte=1) | models.Q(at__isnull=False, day=None),
                name="example_is_at_an_instant_or_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.name

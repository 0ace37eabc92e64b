"""What the database refuses by itself, sentence by sentence, and what it remembers of every changed setting."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pghistory.models
import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import DatabaseError, IntegrityError, connection, models, transaction

from customers.models import (
    Account,
    Affiliation,
    Channel,
    Consent,
    Conversion,
    Customer,
    DuplicateSearch,
    Erasure,
    ExchangeRate,
    Identity,
    Import,
    ImportContent,
    ImportRows,
    Installation,
    Merge,
    MergedProfile,
    PossibleMerge,
    Profile,
    PropertyKey,
    PropertyValue,
    Source,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
    TraitTelling,
)
from lifecycle.models import (
    Announcement,
    Move,
    Placement,
    Preview,
    Publication,
    Replay,
    ReplayBucket,
    Revision,
    RoleTable,
    Stage,
    Subject,
    Transition,
    Version,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, tzinfo=UTC)
APPS = ("customers", "lifecycle")


class Made:
    """One of everything, to make wrong ones of."""

    def __init__(self) -> None:
        self.installation = Installation.current()
        self.customer, self.other = Customer.objects.create(), Customer.objects.create()
        self.profile = Profile.objects.create(customer=self.customer)
        self.identity = Identity.objects.create(kind="email", value="a@b", profile=self.profile)
        self.account = Account.objects.create(key="acme")
        self.source = Source.objects.create(key="s", name="S", write_key_hash="h")
        self.type = TouchpointType.objects.create(name="T")
        self.channel = Channel.objects.create(key="web")
        self.merge = Merge.objects.create(survivor=self.customer, absorbed=self.other, at=NOW)
        self.subject = Subject.objects.create(kind="model", key="m", name="M", is_default=True)
        self.stage = Stage.objects.create(subject=self.subject, key="in", name="In", is_exit=True)
        self.roles = RoleTable.objects.create(roles={}, digest="d")
        self.version = self.make_version(number=1, state="live")

    def make_version(self, **more: Any) -> Version:
        return Version.objects.create(
            **{
                "subject": self.subject,
                "number": 2,
                "document": {},
                "lapse_days": 180,
                "time_zone": "UTC",
                "tzdata": "x",
                "role_table": self.roles,
                "engine": 1,
                **more,
            }
        )

    def touchpoint(self, **more: Any) -> Touchpoint:
        return Touchpoint.objects.create(
            **{
                "profile": self.profile,
                "occurred_at": NOW,
                "received_at": NOW,
                "body_hash": 1,
                "message_hash": uuid4(),
                "source": self.source,
                "type": self.type,
                "channel": self.channel,
                **more,
            }
        )

    def transition(self, **more: Any) -> Transition:
        return Transition.objects.create(
            **{
                "customer": self.customer,
                "version": self.version,
                "stage": self.stage,
                "entered_at": NOW,
                "recorded_at": NOW,
                "cause": 1,
                **more,
            }
        )

    def announcement(self, **more: Any) -> Announcement:
        return Announcement.objects.create(
            **{
                "customer": self.customer,
                "subject": self.subject,
                "version": self.version,
                "stage": self.stage,
                "kind": "transition",
                "entered_at": NOW,
                "told_at": NOW,
                "cause": 1,
                "is_news": True,
                **more,
            }
        )

    def placement(self, **more: Any) -> Placement:
        return Placement.objects.create(
            **{
                "profile": self.profile,
                "subject": self.subject,
                "stage": self.stage,
                "from_at": NOW,
                "reason": "asked",
                **more,
            }
        )

    def example(self, **more: Any) -> Any:
        return apps.get_model("lifecycle", "Example").objects.create(
            **{"subject": self.subject, "name": "e", "customer": self.customer, "at": NOW, **more}
        )


def _not_a_number(made: Made) -> None:
    touchpoint = made.touchpoint()
    with connection.cursor() as cursor:  # Python's own layers refuse it earlier
        cursor.execute("UPDATE customers_touchpoint SET original_amount = 'NaN' WHERE id = %s", [touchpoint.pk])


def _bucket_twice(_made: Made) -> None:
    replay = Replay.objects.create(cause=11)
    _twice(lambda: ReplayBucket.objects.create(replay=replay, bucket=1))


def _import(made: Made, **more: Any) -> Import:
    return Import.objects.create(source=made.source, file_name="f", file_sha256="x", file_bytes=1, mapping={}, **more)


def _part_twice(model: Any, of: Import, **more: Any) -> None:
    _twice(lambda: model.objects.create(from_import=of, number=0, packed=b"", **more))


def _twice(make: Callable[[], Any]) -> None:
    make()
    make()


BEFORE = NOW - timedelta(milliseconds=1)


def _preview_bucket_twice() -> None:
    preview = Preview.objects.create(rule={}, at=NOW, since=NOW)
    _twice(lambda: preview.buckets.create(bucket=1))


WRONG: dict[str, Callable[[Made], Any]] = {
    "there_is_one_installation": lambda _made: Installation.objects.create(id=2),
    "lapse_days_are_1_to_3660": lambda _made: Installation.objects.update(lapse_days=3661),
    "minor_digits_are_0_to_4": lambda _made: Installation.objects.update(minor_digits=5),
    "reporting_currency_is_iso_4217": lambda _made: Installation.objects.update(currency="eur"),
    "margin_is_a_percentage": lambda _made: Installation.objects.update(margin_percent=101),
    "support_works_on_days_of_the_week": lambda _made: Installation.objects.update(support_days="21"),
    "support_begins_before_it_ends": lambda _made: Installation.objects.update(support_opens="17:00"),
    "customer_is_not_merged_into_itself": lambda _made: Customer.objects.update(merged_into=models.F("id")),
    "identity_belongs_to_one_profile": lambda m: Identity.objects.create(kind="email", value="a@b", profile=m.profile),
    "identity_has_a_value": lambda m: Identity.objects.create(kind="email", value="", profile=m.profile),
    "trait_has_one_value_at_an_instant": lambda m: _twice(
        lambda: Trait.objects.create(profile=m.profile, key="k", value=1, set_at=NOW, last_seen_at=NOW)
    ),
    "trait_is_seen_no_earlier_than_set": lambda m: Trait.objects.create(
        profile=m.profile, key="k", value=1, set_at=NOW, last_seen_at=BEFORE
    ),
    "affiliation_starts_once": lambda m: _twice(
        lambda: Affiliation.objects.create(profile=m.profile, account=m.account, from_at=NOW)
    ),
    "affiliation_ends_after_it_starts": lambda m: Affiliation.objects.create(
        profile=m.profile, account=m.account, from_at=NOW, until_at=NOW
    ),
    "possible_merge_is_of_two_profiles": lambda m: PossibleMerge.objects.create(
        profile=m.profile, other=m.profile, kind="email", value="a", source=m.source
    ),
    "one_search_for_duplicates_runs_at_a_time": lambda _made: _twice(lambda: DuplicateSearch.objects.create()),
    "search_for_duplicates_runs_or_is_finished": lambda _made: DuplicateSearch.objects.create(is_running=False),
    "possible_merge_is_open_or_decided": lambda _made: PossibleMerge.objects.create(
        profile_id=1, other_id=2, kind="email", value="a", decision="merged"
    ),
    "possible_merge_score_is_a_percentage": lambda _made: PossibleMerge.objects.create(
        profile_id=1, other_id=2, kind="alike", score=101
    ),
    "possible_merge_is_told_once": lambda m: [
        PossibleMerge.objects.create(profile_id=1, other_id=2, kind="email", value=value, source=m.source)
        for value in "ab"
    ],
    "finished_erasure_knows_no_names": lambda m: Erasure.objects.create(
        customer=m.customer, at=NOW, finished_at=NOW, wanted=["una@example.org"]
    ),
    "telling_is_stored_once": lambda m: [
        TraitTelling.objects.create(profile=m.profile, told_at=NOW, traits={}, source=m.source, message_hash="0" * 32)
        for _twice in range(2)
    ],
    "merge_is_of_two_customers": lambda m: Merge.objects.create(survivor=m.customer, absorbed=m.customer, at=NOW),
    "merge_moves_a_profile_once": lambda m: _twice(
        lambda: MergedProfile.objects.create(merge=m.merge, profile=m.profile)
    ),
    "write_key_opens_one_source": lambda _made: Source.objects.create(key="t", name="T", write_key_hash="h"),
    "touchpoint_role_is_known": lambda _made: TouchpointType.objects.update(role="hero"),
    "message_is_stored_once": lambda m: _twice(lambda: m.touchpoint(message_hash="0" * 32)),
    "touchpoint_lies_not_after_its_arrival": lambda m: m.touchpoint(received_at=BEFORE),
    "touchpoint_lies_not_before_1990": lambda m: m.touchpoint(
        occurred_at=datetime(1989, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    ),
    "amount_is_below_10_to_the_11_minor_units": lambda m: m.touchpoint(amount=10**11),
    "original_amount_is_a_number": _not_a_number,
    "stale_cause_is_known": lambda m: Stale.objects.create(profile=m.profile, cause=12),
    "one_conversion_of_a_currency_runs_at_a_time": lambda _made: [
        Conversion.objects.create(currency="USD") for _one in range(2)
    ],
    "import_state_is_known": lambda m: _import(m, state="lost"),
    "import_kind_is_known": lambda m: _import(m, kind="songs"),
    "import_content_has_one_part_of_a_number": lambda m: _part_twice(ImportContent, _import(m)),
    "import_rows_have_one_part_of_a_number": lambda m: _part_twice(ImportRows, _import(m), rows=1),
    "consent_state_is_known": lambda m: Consent.objects.create(
        profile=m.profile, address="a", channel="email", purpose="news", state="maybe", at=NOW
    ),
    "exchange_rate_is_one_per_day": lambda _made: _twice(
        lambda: ExchangeRate.objects.create(currency="USD", day=NOW.date(), rate=1)
    ),
    "exchange_rate_is_above_zero": lambda _made: ExchangeRate.objects.create(currency="USD", day=NOW.date(), rate=0),
    "subject_kind_is_known": lambda _made: Subject.objects.create(kind="mood", key="x", name="X"),
    "stage_model_key_is_unique": lambda _made: Subject.objects.create(kind="model", key="m", name="X"),
    "segment_key_is_unique": lambda _made: [
        Subject.objects.create(kind=kind, key="x", name="X") for kind in ("segment", "list")
    ],
    "one_stage_model_is_the_default": lambda _made: Subject.objects.create(
        kind="model", key="x", name="X", is_default=True
    ),
    "stage_key_is_unique_in_its_model": lambda m: Stage.objects.create(subject=m.subject, key="in", name="X"),
    "model_has_at_most_one_exit_stage": lambda m: Stage.objects.create(
        subject=m.subject, key="x", name="X", is_exit=True
    ),
    "version_number_is_unique": lambda m: m.make_version(number=1),
    "subject_has_one_live_version": lambda m: m.make_version(state="live"),
    "version_state_is_known": lambda m: m.make_version(state="dead"),
    "customer_enters_one_stage_at_an_instant": lambda m: _twice(m.transition),
    "transition_lies_not_in_the_future": lambda m: m.transition(recorded_at=BEFORE),
    "transition_is_superseded_after_it_was_recorded": lambda m: m.transition(superseded_at=BEFORE),
    "transition_cause_is_known": lambda m: m.transition(cause=0),
    "announcement_kind_is_known": lambda m: m.announcement(kind="rumour"),
    "announcement_cause_is_known": lambda m: m.announcement(cause=99),
    "placement_ends_after_it_starts": lambda m: m.placement(until_at=NOW),
    "placement_states_its_reason": lambda m: m.placement(reason=""),
    "list_member_is_removed_after_being_added": lambda m: apps.get_model("lifecycle", "ListMember").objects.create(
        segment=m.subject, profile=m.profile, added_at=NOW, removed_at=NOW
    ),
    "list_member_is_on_a_list_once": lambda m: _twice(
        lambda: apps.get_model("lifecycle", "ListMember").objects.create(
            segment=m.subject, profile=m.profile, added_at=NOW
        )
    ),
    "example_is_of_a_customer_or_made_up": lambda m: m.example(history={}),
    "example_is_at_an_instant_or_on_a_day": lambda m: m.example(day=1),
    "one_replay_of_a_cause_runs_at_a_time": lambda _made: _twice(lambda: Replay.objects.create(cause=11)),
    "replay_visits_a_bucket_once": _bucket_twice,
    "preview_is_of_a_revision_or_a_rule": lambda _made: Preview.objects.create(at=NOW, since=NOW),
    "preview_visits_a_bucket_once": lambda _made: _preview_bucket_twice(),
    "publication_is_finished_or_refused": lambda _made: Publication.objects.create(
        revision=Revision.objects.create(), asked_at=NOW, finished_at=NOW, refused_at=NOW
    ),
    "move_is_of_a_known_kind": lambda m: Move.objects.create(
        version=m.version, customer=m.customer, change="left", stage=m.stage, since=NOW
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_database_refuses_what_its_constraint_names(name: str) -> None:
    made = Made()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        WRONG[name](made)


def test_every_named_constraint_is_tried_here() -> None:
    declared = {
        constraint.name
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
        if not model._meta.model_name.endswith("event")
    }
    assert declared == set(WRONG)


def test_constraints_are_named_as_sentences() -> None:
    assert [name for name in WRONG if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){2,}", name)] == []


def test_what_may_be_is_let_in() -> None:
    made = Made()
    one = made.transition()
    Transition.objects.filter(pk=one.pk).update(superseded_at=NOW)
    made.transition(recorded_at=NOW + timedelta(1))  # believed once again
    made.touchpoint(amount=-(10**11) + 1, original_amount=Decimal("-99999999999999.9999"))
    made.touchpoint(amount=None)
    made.make_version(state="draft")
    Source.objects.create(key="t", name="T")
    Source.objects.create(key="u", name="U")  # without a write key, both
    Replay.objects.create(cause=11, finished_at=NOW)
    Replay.objects.create(cause=11)


def test_a_kept_property_value_is_one_per_touchpoint_and_key() -> None:
    made = Made()
    key, touchpoint = PropertyKey.objects.create(key="nps"), made.touchpoint()
    row = {
        "touchpoint": touchpoint,
        "property_key": key,
        "profile": made.profile,
        "type": made.type,
        "channel": made.channel,
        "occurred_at": NOW,
        "kind": 2,
        "text": "9",
    }
    PropertyValue.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        PropertyValue.objects.create(**row)


def test_a_statement_of_consent_is_never_rewritten() -> None:
    made = Made()
    Consent.objects.create(profile=made.profile, address="a", channel="email", purpose="news", state="granted", at=NOW)
    with pytest.raises(DatabaseError, match=r"consent_is_never_rewritten|[Cc]annot update"), transaction.atomic():
        Consent.objects.update(state="withdrawn")
    assert Consent.objects.get().state == "granted"


# --- history --------------------------------------------------------------------------------------------------
TRACKED = {
    "Installation": ("lapse_days", 90),
    "Source": ("name", "New"),
    "TouchpointType": ("role", "purchase"),
    "SubRule": ("document", {"a": 1}),
    "Subject": ("name", "New"),
    "Stage": ("name", "New"),
    "Version": ("note", "New"),
    "Placement": ("reason", "New"),
    "Merge": ("reason", "New"),
    "ListMember": ("removed_at", NOW + timedelta(days=1)),
    "Example": ("name", "New"),
    "Revision": ("note", "New"),
}


@pytest.mark.parametrize("name", TRACKED)
def test_triggers_remember_every_change_however_it_is_made(name: str) -> None:
    made = Made()
    made.placement()
    made.example()
    apps.get_model("lifecycle", "SubRule").objects.create(name="alive", document={})
    apps.get_model("lifecycle", "Revision").objects.create()
    apps.get_model("lifecycle", "ListMember").objects.create(segment=made.subject, profile=made.profile, added_at=NOW)
    model = next(apps.get_model(app, name) for app in APPS if name.lower() in apps.all_models[app])
    field, value = TRACKED[name]
    one = model.objects.first()
    assert one is not None
    before = getattr(one, field)
    events = next(tracked for tracked in pghistory.models.Event.__subclasses__() if tracked.pgh_tracked_model is model)
    kept = events.objects.filter(pgh_obj=one.pk).count()
    model.objects.filter(pk=one.pk).update(**{field: value})
    history = events.objects.filter(pgh_obj=one.pk).order_by("pgh_id")
    assert history.count() == kept + 1
    assert getattr(history.last(), field) == value
    assert getattr(history[kept - 1], field) == before
    model.objects.filter(pk=one.pk).update(**{field: value})
    assert history.count() == kept + 1  # nothing changed, nothing to remember


def test_every_configuration_and_consent_is_tracked() -> None:
    tracked = {
        event.pgh_tracked_model.__name__
        for event in pghistory.models.Event.__subclasses__()
        if event.pgh_tracked_model._meta.app_label in APPS
    }
    assert tracked == {*TRACKED, "Consent"}


def test_people_are_no_part_of_a_schema_that_has_no_people() -> None:
    """Authors may leave; what they did stays."""
    user = get_user_model().objects.create(email="a@example.org")
    made = Made()
    placed = made.placement(author=user)
    user.delete()
    placed.refresh_from_db()
    assert placed.author_id is None

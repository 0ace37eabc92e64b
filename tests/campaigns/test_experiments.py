"""Experiments: assigned once and for good, whoever is merged or killed meanwhile, and judged by what was stored."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from analytics.behind import customers_behind, has_period, refuse_unknown_group, said
from analytics.experiments.peeking import always_valid
from analytics.experiments.results import group_name, results
from analytics.scope import Scope
from campaigns import experiments as acts
from campaigns.experiments import (
    assign,
    change_experiment,
    delete_experiment,
    start_experiment,
    stop_experiment,
    work_on_experiments,
)
from campaigns.models import Assignment, Experiment
from clm.lib.assignment import variant_of
from clm.lib.periods import last_days
from clm.lib.questions import ConflictError, QuestionError
from customers.ingest import clock
from customers.merge import merge
from customers.models import Customer, Profile
from tests.campaigns.making_experiments import TOLD, back_to, end, made, people, started, variant_given
from tests.factories import make_order
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> Iterator[None]:
    installed(time_zone="UTC")
    yield


def test_everybody_is_given_what_the_hash_says_and_keeps_it() -> None:
    people(60)
    one = started(variants=[("control", 2), ("bow", 1), ("card", 1)])
    assert (one.state, one.assigned_at is not None) == ("running", True)
    rows = Assignment.objects.filter(experiment=one).select_related("variant")
    assert len(rows) == 60
    for row in rows:
        assert row.variant.position == variant_of(salt=one.salt, unit=row.unit, weights=(2, 1, 1))
        assert Profile.objects.get(pk=row.profile_id).customer_id == row.unit
    assert assign(experiment=one, people=[(row.unit, row.profile_id) for row in rows], now=clock()) == 60
    assert Assignment.objects.filter(experiment=one).count() == 60
    assert work_on_experiments(seconds=60) == 0
    people(70)  # ten more, who were not there when it started
    assert work_on_experiments(seconds=60) == 0


def test_a_stored_assignment_is_never_changed() -> None:
    people(3)
    started()
    for act in (lambda: Assignment.objects.update(at=ago(days=1)), lambda: Assignment.objects.all().delete()):
        with pytest.raises(DatabaseError, match=r"Cannot (update|delete)"), transaction.atomic():
            act()


def test_a_segment_narrows_who_takes_part() -> None:
    people(10)
    tell(make_order("p1", ago(days=3)), make_order("p4", ago(days=3)), make_order("p5", ago(days=300)))
    settle()
    one = started(audience="active_customer")
    assert set(Assignment.objects.filter(experiment=one).values_list("unit", flat=True)) == {
        customer_of("p1"),
        customer_of("p4"),
    }


def test_a_killed_assignment_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    people(25)
    monkeypatch.setattr(acts, "BATCH", 10)
    one = start_experiment(experiment=made(), now=clock())
    turns, real = [], acts.assign

    def dying(**told: Any) -> int:
        turns.append(len(told["people"]))
        count = real(**told)
        if len(turns) == 2:
            raise KeyboardInterrupt
        return count

    monkeypatch.setattr(acts, "assign", dying)
    with pytest.raises(KeyboardInterrupt):
        work_on_experiments(seconds=60)
    assert Assignment.objects.count() == 10
    one.refresh_from_db()
    assert one.state == "assigning"
    assert work_on_experiments(seconds=60) == 15
    assert turns == [10, 10, 10, 5]
    assert Assignment.objects.count() == 25
    assert Counter(Assignment.objects.values_list("unit", flat=True)).most_common(1)[0][1] == 1


def test_merged_customers_count_once_or_not_at_all() -> None:
    people(40)
    one = started()
    of = {f"p{number}": variant_given(one, f"p{number}") for number in range(40)}
    same = [person for person, key in of.items() if key == "bow"][:2]
    apart = [
        next(person for person, key in of.items() if key == name and person not in same) for name in ("control", "bow")
    ]
    for pair in (same, apart):
        merge(customers=(customer_of(pair[0]), customer_of(pair[1])), now=clock(), reason="the same")
    found = results(experiment=one, as_of=clock())
    counts = {variant.key: count for variant, count in found.assigned}
    assert counts["bow"] == Counter(of.values())["bow"] - 2
    assert counts["control"] == Counter(of.values())["control"] - 1
    assert found.conflicting == 1
    scope = Scope(last_days(count=30, now=clock(), zone="UTC"), clock())
    assert customers_behind(scope=scope, group=group_name(one, "conflicting")) == [customer_of(apart[0])]
    # Who is merged and comes into the audience anew is not assigned twice.
    assert assign(experiment=one, people=[], now=clock()) == 0
    Experiment.objects.update(assigned_at=None, assigned_upto=0)
    assert work_on_experiments(seconds=60) == 0


def test_outcomes_count_from_the_assignment_for_as_many_days_as_said() -> None:
    people(24)
    one = started()
    back_to(one, days=20)
    of = {f"p{number}": variant_given(one, f"p{number}") for number in range(24)}
    bow = [person for person, key in of.items() if key == "bow"]
    tell(
        make_order(bow[0], ago(days=20, seconds=1), 5_000),  # before
        make_order(bow[1], ago(days=19, hours=23), 1_000),
        make_order(bow[1], ago(days=14), 2_000),
        make_order(bow[2], ago(days=12, hours=23), 7_000),  # after the seven days
        make_order(bow[3], ago(days=15), None),  # no money
    )
    found = results(experiment=one, as_of=clock())
    conversion, revenue = found.metrics
    treated = conversion.variants[1]
    assert (treated.counted, treated.converted) == (len(bow), 1)
    assert treated.mean.value == pytest.approx(1 / len(bow))
    assert revenue.variants[1].mean.value == pytest.approx(3_000 / len(bow))
    assert conversion.variants[0].mean.value == 0
    assert conversion.compared[0].comparison.lift.reason == "zero_control"
    assert found.verdict == "told"
    assert conversion.compared[0].verdict == "open"
    scope = Scope(last_days(count=30, now=clock(), zone="UTC"), found.as_of)
    for metric in found.metrics:
        for each in metric.variants:
            for which, count in (("counted", each.counted), ("converted", each.converted)):
                group = group_name(one, which, each.variant, metric.place)
                assert len(customers_behind(scope=scope, group=group)) == count
                assert each.variant.key in said(group)
                assert not has_period(group)
    for variant, count in found.assigned:
        assert len(customers_behind(scope=scope, group=group_name(one, "assigned", variant))) == count


def test_whose_days_are_not_over_is_left_out_and_a_fixed_horizon_waits() -> None:
    people(30)
    one = started()
    found = results(experiment=one, as_of=clock())
    assert found.verdict == "early"
    assert found.metrics[0].waiting == 30
    assert found.metrics[0].compared[0].p is None
    assert {each.verdict for metric in found.metrics for each in metric.compared} == {""}
    later = results(experiment=one, as_of=clock() + timedelta(days=8))
    assert (later.metrics[0].waiting, later.verdict) == (0, "told")
    end(experiment=one, now=clock())
    one.refresh_from_db()
    assert results(experiment=one, as_of=clock() + timedelta(days=8)).metrics[0].waiting == 30


def test_a_stage_or_a_segment_that_is_reached_counts() -> None:
    people(20)
    one = started(
        metrics=[
            {"kind": "reached", "days": 30, "segment": "active_customer"},
            {"kind": "reached", "days": 30, "model": "seven", "stage": "acquisition"},
        ]
    )
    back_to(one, days=40)
    tell(make_order("p1", ago(days=39)), make_order("p2", ago(days=2)))
    settle()
    found = results(experiment=one, as_of=clock())
    for metric in found.metrics:
        assert sum(each.converted for each in metric.variants) == 1, metric.label


def test_shares_that_cannot_be_chance_block_the_verdict() -> None:
    people(60)
    one = started(mode="peek_safe", metrics=[{"kind": "conversion", "days": 1, "tau": 0.05}])
    back_to(one, days=3)
    control = one.variants.get(position=0)
    profiles = Profile.objects.exclude(pk__in=Assignment.objects.filter(experiment=one).values("profile"))
    assert not profiles.exists()
    tell(*(happened(f"q{number}", "Page Viewed", ago(days=100)) for number in range(60)))
    Assignment.objects.bulk_create(
        Assignment(experiment=one, variant=control, profile=profile, unit=profile.customer_id, at=ago(days=3))
        for profile in profiles.all()
    )
    found = results(experiment=one, as_of=clock())
    assert found.ratio.blocks
    assert found.verdict == "blocked"
    assert {each.verdict for metric in found.metrics for each in metric.compared} == {""}


def test_peeking_tells_no_interval_of_the_lift() -> None:
    people(60)
    one = started(mode="peek_safe", metrics=[{"kind": "conversion", "days": 1, "tau": 0.05}])
    back_to(one, days=3)
    tell(*(make_order(f"p{number}", ago(days=2, hours=12)) for number in range(0, 60, 2)))
    (metric,) = results(experiment=one, as_of=clock()).metrics
    pair = metric.compared[0].comparison
    assert (pair.lift.low, pair.lift.reason) == (None, "peeking")
    assert pair.difference.low is not None
    assert pair.difference.high is not None
    assert pair.difference.high - pair.difference.low > 0.3


def test_tau_of_money_is_stated_in_whole_units_of_the_currency() -> None:
    people(60)
    one = started(mode="peek_safe", metrics=[{"kind": "revenue", "days": 1, "tau": 20.0}])
    back_to(one, days=3)
    tell(*(make_order(f"p{number}", ago(days=2, hours=12), 1_000 + number) for number in range(0, 60, 2)))
    (metric,) = results(experiment=one, as_of=clock()).metrics
    pair = metric.compared[0].comparison
    _p, expected = always_valid(difference=pair.difference.value, error=pair.error, tau=2_000)
    assert (pair.difference.low, pair.difference.high) == (expected.low, expected.high)


def test_an_experiment_with_nobody_or_one_customer_tells_nothing_but_why() -> None:
    draft = results(experiment=made(), as_of=clock())
    assert (draft.verdict, draft.total, draft.ratio.p) == ("none", 0, None)
    one = started(key="empty")
    assert results(experiment=one, as_of=clock()).verdict == "none"
    people(1)
    alone = started(key="alone")
    found = results(experiment=alone, as_of=clock() + timedelta(days=9))
    assert found.total == 1
    for metric in found.metrics:
        assert metric.compared[0].comparison.reason == "nobody"


def test_everybody_converted_tells_the_shares_and_no_chance() -> None:
    people(20)
    one = started()
    back_to(one, days=20)
    tell(*(make_order(f"p{number}", ago(days=19)) for number in range(20)))
    conversion, revenue = results(experiment=one, as_of=clock()).metrics
    assert {each.mean.value for each in conversion.variants} == {1}
    assert conversion.compared[0].p is None
    assert conversion.compared[0].comparison.reason == "no_spread"
    assert revenue.compared[0].comparison.reason == "no_spread"
    assert revenue.compared[0].explained is None


# --- acts --------------------------------------------------------------------------------------------------------
def test_its_course_goes_one_way() -> None:
    one = made()
    for act in (stop_experiment, end):
        with pytest.raises(ConflictError):
            act(experiment=one, now=clock())
    start_experiment(experiment=one, now=clock())
    with pytest.raises(ConflictError):
        start_experiment(experiment=one, now=clock())
    with pytest.raises(ConflictError):
        delete_experiment(experiment=one)
    stop_experiment(experiment=one, now=clock())
    people(3)
    assert work_on_experiments(seconds=10) == 0
    end(experiment=one, now=clock())
    with pytest.raises(ConflictError):
        end(experiment=one, now=clock())
    delete_experiment(experiment=made(key="draft"))
    assert Experiment.objects.count() == 1
    assert Customer.objects.count() == 3
    with pytest.raises(ConflictError):
        made()


def changed(one: Experiment, **more: Any) -> Experiment:
    asked = {name: value for name, value in TOLD.items() if name != "key"}
    told = {**asked, "mode": "fixed", "audience": None, "hypothesis": "", **more}
    return change_experiment(experiment=one, **told)


def test_a_draft_is_changed_and_its_key_and_salt_stay() -> None:
    one = made(audience="active_customer")
    salt, before = one.salt, list(one.variants.values_list("pk", flat=True))
    changed(one, name="A card", planned=40, hypothesis="They like it.")
    one.refresh_from_db()
    assert (one.key, one.salt, one.name, one.planned, one.audience) == ("bow", salt, "A card", 40, None)
    assert list(one.variants.values_list("pk", flat=True)) == before
    weights = [("control", 1), ("card", 2), ("bow", 1)]
    changed(one, variants=weights, mode="peek_safe", metrics=[{"kind": "conversion", "days": 3, "tau": 0.1}])
    one.refresh_from_db()
    assert list(one.variants.values_list("key", "weight")) == weights
    assert (one.mode, one.metrics) == ("peek_safe", [{"kind": "conversion", "days": 3, "tau": 0.1}])


def test_a_change_that_makes_no_experiment_changes_nothing_and_tells_every_fault() -> None:
    one = made()
    with pytest.raises(QuestionError) as refused:
        changed(one, name=" ", planned=1, variants=[("control", 1)], metrics=[])
    assert {fault.field for fault in refused.value.errors} == {"name", "planned", "variants", "metrics"}
    one.refresh_from_db()
    assert (one.name, one.planned, one.variants.count()) == ("A bow on the parcel", 20, 2)


def test_what_was_started_is_not_changed_and_says_why() -> None:
    one = start_experiment(experiment=made(), now=clock())
    with pytest.raises(ConflictError, match="started"):
        changed(one, planned=40)
    one.refresh_from_db()
    assert one.planned == 20


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"key": "new"}, "key"),
        ({"key": "A b"}, "key"),
        ({"name": " "}, "name"),
        ({"variants": [("control", 1)]}, "variants"),
        ({"variants": [("a", 1), ("a", 1)]}, "variants"),
        ({"variants": [("a", 1), ("b", 0)]}, "variants"),
        ({"metrics": []}, "metrics"),
        ({"metrics": [{"kind": "conversion", "days": 0}]}, "metrics"),
        ({"metrics": [{"kind": "conversion", "days": 7}] * 2}, "metrics"),
        ({"metrics": [{"kind": "conversion", "days": 7, "tau": 1}]}, "metrics[0].tau"),
        ({"mode": "peek_safe", "metrics": [{"kind": "conversion", "days": 7, "tau": 1.5}]}, "metrics[0].tau"),
        ({"mode": "peek_safe", "metrics": [{"kind": "conversion", "days": 7, "tau": 1e-9}]}, "metrics[0].tau"),
        ({"mode": "peek_safe", "metrics": [{"kind": "revenue", "days": 7, "tau": 2e6}]}, "metrics[0].tau"),
        ({"mode": "peek_safe", "metrics": [{"kind": "revenue", "days": 7, "tau": float("nan")}]}, "metrics[0].tau"),
        ({"metrics": [{"kind": "reached", "days": 7}]}, "metrics"),
        ({"metrics": [{"kind": "reached", "days": 7, "segment": "nobody"}]}, "metrics"),
        ({"metrics": [{"kind": "reached", "days": 7, "model": "seven", "stage": "moon"}]}, "metrics"),
        ({"mode": "peek_safe"}, "metrics[0].tau"),
        ({"mode": "often"}, "mode"),
        ({"planned": 1}, "planned"),
        ({"audience": "nobody"}, "audience"),
    ],
)
def test_what_makes_no_experiment_is_refused(more: dict[str, Any], field: str) -> None:
    with pytest.raises(QuestionError) as refused:
        made(**more)
    assert field in {one.field for one in refused.value.errors}


@pytest.mark.parametrize(
    "group",
    [
        "experiment:nothing:conflicting",
        "experiment:bow:assigned",
        "experiment:bow:conflicting:bow",
        "experiment:bow:assigned:card",
        "experiment:bow:counted:bow",
        "experiment:bow:counted:bow:2",
        "experiment:bow:counted:bow:x",
        "experiment:bow",
        "experiment:bow:counted:bow:1:1",
    ],
)
def test_a_group_that_is_none_is_refused(group: str) -> None:
    made()
    with pytest.raises(QuestionError) as refused:
        refuse_unknown_group(group)
    assert refused.value.field == "group"

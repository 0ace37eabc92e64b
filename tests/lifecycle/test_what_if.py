"""What a change would do is what it then does: estimated from a sample, counted for everybody, and published."""

import random
import subprocess
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from django.conf import settings as configured
from django.db import transaction
from pytest_django import Settings

from clm.lib.questions import ConflictError
from customers.ingest import clock
from customers.models import PropertyKey
from lifecycle.examples import add_example
from lifecycle.install import publish
from lifecycle.load import load
from lifecycle.models import (
    Parked,
    Preview,
    PreviewBucket,
    Publication,
    Revision,
    Segment,
    Stage,
    StageModel,
    Standing,
    Subject,
    Version,
)
from lifecycle.previews import (
    RULE,
    counted,
    estimated_change,
    estimated_rule,
    preview_progress,
    start_preview,
    start_rule_count,
    touched_since,
    work_on_previews,
)
from lifecycle.publications import ask_to_publish, publish_asked
from lifecycle.revise import add_segment, discard, edit_segment, edit_stage, edit_sub_rule, roll_back
from lifecycle.rules.document import RuleError
from lifecycle.sample import drawn, sampled
from lifecycle.what_if import compared, pairs_of, program_of
from tests.conftest import Command

from .conftest import Side
from .making import (
    ago,
    check_standings,
    customer_of,
    happened,
    installed,
    people,
    profile_of,
    settle,
    stands,
    tell,
    waiting,
)

BOUGHT_TWICE = {"did": {"role": "purchase"}, "at_least": 2, "within": "365d"}
TYPES = ("Order Completed", "Page Viewed", "Signed Up", "Product Added", "Order Refunded", "Product Reviewed")


def told(count: int, seed: int = 7) -> None:
    """Customers with histories of all sorts, all brought up to date."""
    draws = random.Random(seed)
    events = []
    for number in range(count):
        for _event in range(draws.randint(1, 12)):
            kind = draws.choice(TYPES)
            amount = draws.randint(100, 90_000) if kind == "Order Completed" else None
            at = ago(minutes=draws.randint(1, 60 * 24 * 700))
            properties = {"rating": draws.randint(1, 5)} if kind == "Product Reviewed" else {}
            events.append(happened(f"p{number}", kind, at, amount=amount, properties=properties))
    tell(*events)
    settle()


def model() -> StageModel:
    return StageModel.objects.get(key="seven")


def retention_without_traits() -> Revision:
    """Retention asks for two purchases within a year instead."""
    return edit_stage(model=model().pk, stage="retention", rule={"all": [{"rule": "alive"}, BOUGHT_TWICE]})


def where(subjects: Iterable[int]) -> dict[tuple[int, int], int]:
    """Who stands where: (customer, subject) -> stage."""
    rows = Standing.objects.filter(subject__in=list(subjects)).values_list("customer_id", "subject_id", "stage_id")
    return {(customer, subject): stage for customer, subject, stage in rows}


def predicted(revision: Revision) -> dict[tuple[int, int], tuple[int, int]]:
    """(customer, subject) -> (stage before, stage after), 0 for none."""
    pairs = pairs_of(revision=revision.pk)
    loaded = load(customers=people(), program=program_of(pairs))
    found = compared(pairs=pairs, loaded=loaded, at=clock(), since=ago(days=30))
    return {
        (customer, subject): (int(one.before[owner]), int(one.after[owner]))
        for subject, one in found.items()
        for owner, customer in enumerate(loaded.customers.tolist())
    }


def changes(told: dict[tuple[int, int], tuple[int, int]], subject: int) -> dict[tuple[int, int], int]:
    cells: dict[tuple[int, int], int] = {}
    for (_customer, of), cell in told.items():
        if of == subject:
            cells[cell] = cells.get(cell, 0) + 1
    return cells


@pytest.mark.django_db
def test_the_predicted_stage_is_the_one_everybody_then_has() -> None:
    installed()
    told(150)
    add = add_segment(key="keen", name="Keen", rule=BOUGHT_TWICE)
    ask_to_publish(revision=add.pk, now=clock())
    assert publish_asked() == 1
    segment = Segment.objects.get(key="keen")
    edit_sub = edit_sub_rule(name="alive", rule={"did": {"role": "purchase"}, "within": "200d"})
    ask_to_publish(revision=edit_sub.pk, now=clock())
    before_any = where([model().pk, segment.pk])
    forecast = predicted(edit_sub)
    assert publish_asked() == 1
    after = where(Version.objects.filter(revision=edit_sub).values_list("subject", flat=True))
    assert {key: stage for key, (_was, stage) in forecast.items() if stage} == after
    assert all(before_any.get(key, 0) == was for key, (was, _stage) in forecast.items() if key[1] == model().pk)
    assert any(was != stage for was, stage in forecast.values())
    check_standings()


@pytest.mark.django_db
def test_the_exact_count_is_the_sum_of_what_then_happens_and_nothing_is_written_before() -> None:
    installed()
    told(120)
    revision = retention_without_traits()
    stood = where([model().pk])
    preview = start_preview(revision=revision.pk, now=clock())
    forecast = predicted(revision)
    assert work_on_previews() == 1
    preview.refresh_from_db()
    found = counted(preview=preview)
    assert found is not None and found.is_exact and found.customers == 120
    assert found.tallies[model().pk].cells == changes(forecast, model().pk)
    assert where([model().pk]) == stood
    assert touched_since(preview=preview) == 0
    ask_to_publish(revision=revision.pk, now=clock())
    publish_asked()
    moved = {key for key, stage in where([model().pk]).items() if stood[key] != stage}
    assert len(moved) == sum(n for (was, then), n in found.tallies[model().pk].cells.items() if was != then) > 0


@pytest.mark.django_db
def test_who_was_touched_since_the_count_is_told_and_all_others_come_out_as_counted() -> None:
    installed()
    told(60)
    revision = retention_without_traits()
    preview = start_preview(revision=revision.pk, now=clock())
    forecast = predicted(revision)
    work_on_previews()
    tell(happened("p3", "Order Completed", ago(minutes=1), amount=500), happened("new", "Page Viewed", ago(minutes=1)))
    settle()
    assert touched_since(preview=preview) == 2
    ask_to_publish(revision=revision.pk, now=clock())
    publish_asked()
    after = where([model().pk])
    untouched = {key: cell for key, cell in forecast.items() if key[0] not in (customer_of("p3"), customer_of("new"))}
    assert {key: stage for key, (_was, stage) in untouched.items()} == {key: after[key] for key in untouched}


@pytest.mark.django_db
def test_a_count_goes_on_where_a_killed_one_stopped(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CLM_BUCKET_SIZE = 10
    installed()
    told(45)
    revision = retention_without_traits()
    preview = start_preview(revision=revision.pk, now=clock())
    buckets = PreviewBucket.objects.filter(preview=preview).count()
    assert buckets >= 5
    assert work_on_previews(seconds=0.0) == 1 or preview_progress(preview=preview).done <= 1
    far = preview_progress(preview=preview)
    assert far.done < buckets
    assert work_on_previews() == buckets - far.done
    preview.refresh_from_db()
    found = counted(preview=preview)
    assert found is not None
    assert found.tallies[model().pk].cells == changes(predicted(revision), model().pk)
    assert PreviewBucket.objects.filter(preview=preview).count() == 0
    # It is kept, and asked for again it is not counted again.
    assert start_preview(revision=revision.pk, now=clock()) == preview
    assert work_on_previews() == 0


@pytest.mark.django_db(transaction=True)
def test_a_count_survives_a_kill_of_its_process(outside_env: dict[str, str], settings: Settings) -> None:
    installed()
    told(30)
    revision = retention_without_traits()
    preview = start_preview(revision=revision.pk, now=clock())
    side = Side()
    with side.table("customers_touchpoint"):
        process = subprocess.Popen(
            [str(configured.BASE_DIR / ".venv/bin/python"), str(configured.BASE_DIR / "manage.py"), "preview"],
            env=outside_env,
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if side_waits(preview):
                break
            time.sleep(0.1)
        process.kill()
        process.wait()
    side.connection.close()
    preview.refresh_from_db()
    assert preview.finished_at is None
    assert work_on_previews() == 1
    preview.refresh_from_db()
    found = counted(preview=preview)
    assert found is not None and found.customers == 30


def side_waits(preview: Preview) -> bool:
    """Whether somebody holds the bucket of the count."""
    with transaction.atomic():
        return not PreviewBucket.objects.select_for_update(skip_locked=True).filter(preview=preview).exists()


@pytest.mark.django_db
def test_an_estimate_of_few_is_exact_and_of_many_close() -> None:
    installed()
    told(80)
    rule = {"did": {"role": "purchase"}}
    all_of_them = estimated_rule(rule=rule, now=clock())
    assert all_of_them.is_exact and all_of_them.customers == 80
    asked = start_rule_count(rule=rule, now=clock())
    work_on_previews()
    asked.refresh_from_db()
    exact = counted(preview=asked)
    assert exact is not None
    assert exact.tallies[RULE].cells == all_of_them.tallies[RULE].cells
    some = sampled(program=None, size=20)
    assert not some.is_everybody and 5 <= some.size <= 40 and some.customers == 80
    assert estimated_change(revision=retention_without_traits().pk, now=clock()).is_exact


def test_a_sample_is_drawn_evenly_and_whoever_comes_later_changes_nobody() -> None:
    first = drawn(first=1, last=100_000, share=0.04)
    assert abs(len(first) - 4_000) < 300
    halves = np.histogram(first, bins=4, range=(1, 100_000))[0]
    assert halves.min() > 850
    later = drawn(first=1, last=200_000, share=0.04)
    assert later[later <= 100_000].tolist() == first.tolist()
    fewer = drawn(first=1, last=100_000, share=0.01)
    assert set(fewer.tolist()) < set(first.tolist())


@pytest.mark.django_db
def test_parked_customers_are_not_counted() -> None:
    installed()
    told(20)
    Parked.objects.create(customer_id=customer_of("p1"), error="x", parked_at=clock())
    assert estimated_rule(rule={"did": {}}, now=clock()).customers == 19


@pytest.mark.django_db
def test_a_property_that_nobody_named_before_is_read_where_it_lies_and_then_kept() -> None:
    installed()
    tell(
        *[happened(f"p{n}", "Product Reviewed", ago(days=n + 1), properties={"stars": n % 5 + 0.5}) for n in range(20)]
    )
    settle()
    rule = {"did": {"where": [{"property": "stars", "gte": 3}]}}
    assert not PropertyKey.objects.filter(key="stars").exists()
    found = estimated_rule(rule=rule, now=clock())
    assert found.tallies[RULE].cells == {(0, 0): 12, (0, 1): 8}
    assert not PropertyKey.objects.filter(key="stars").exists()
    asked = start_rule_count(rule=rule, now=clock())
    work_on_previews()
    asked.refresh_from_db()
    exact = counted(preview=asked)
    assert exact is not None and exact.tallies[RULE].cells == found.tallies[RULE].cells
    assert PropertyKey.objects.get(key="stars").backfilled_at is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "rule",
    [
        {"not": {"not": {"did": {"type": "100% sure %s %(x)s"}}}},
        {"did": {"type": 'it\'s "quoted" \\ and; DROP TABLE'}},
        {"did": {"where": [{"property": "no'such\"%s", "is": "%"}]}},
        {"did": {"where": [{"property": "nobody has it", "exists": False}]}},
        {"not": {"trait": "100%", "exists": False}},
        {"trait": "it's", "contains": "%"},
    ],
)
def test_odd_names_are_answered_exactly(rule: dict[str, Any]) -> None:
    installed()
    told(10)
    estimate = estimated_rule(rule=rule, now=clock())
    asked = start_rule_count(rule=rule, now=clock())
    work_on_previews()
    asked.refresh_from_db()
    exact = counted(preview=asked)
    assert exact is not None and exact.tallies[RULE].cells == estimate.tallies[RULE].cells


@pytest.mark.django_db
def test_a_rule_that_is_none_is_not_counted() -> None:
    installed()
    with pytest.raises(RuleError, match="within"):
        start_rule_count(rule={"did": {}, "within": "90"}, now=clock())
    assert Preview.objects.count() == 0


# --- going live on request ------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_asking_twice_is_one_publication_and_what_is_live_is_refused() -> None:
    installed()
    told(10)
    revision = retention_without_traits()
    first = ask_to_publish(revision=revision.pk, now=clock())
    assert ask_to_publish(revision=revision.pk, now=clock()).asked_at == first.asked_at
    assert publish_asked() == 1
    assert publish_asked() == 0
    assert Publication.objects.get(revision=revision).finished_at is not None
    with pytest.raises(ConflictError, match="live already"):
        ask_to_publish(revision=revision.pk, now=clock())
    with pytest.raises(ConflictError, match="live already"):
        start_preview(revision=revision.pk, now=clock())


@pytest.mark.django_db
def test_an_example_that_would_break_is_named_when_somebody_asks() -> None:
    installed()
    told(5)
    seen = stands(customer_of("p1"))["seven"]
    add_example(subject=model().pk, name="Everybody stays", stage=seen, customer=customer_of("p1"), at=clock())
    nobody = {"did": {"type": "never sent"}}
    revision = edit_stage(model=model().pk, stage=seen, rule=nobody)
    with pytest.raises(ConflictError, match="“Everybody stays” must be in"):
        ask_to_publish(revision=revision.pk, now=clock())
    assert not Publication.objects.exists()


@pytest.mark.django_db
def test_what_comes_up_only_at_publishing_is_a_refusal_that_says_why() -> None:
    installed()
    told(5)
    revision = add_segment(key="keen", name="Keen", rule={"rule": "alive"})
    ask_to_publish(revision=revision.pk, now=clock())
    other = edit_sub_rule(name="alive", rule={"did": {"role": "purchase"}, "within": "10d"})
    publish(revision=other.pk, now=clock())
    assert publish_asked() == 0
    refused = Publication.objects.get(revision=revision)
    assert refused.refused_at is not None and "has changed since" in refused.refusal
    assert waiting() == 0


@pytest.mark.django_db
def test_a_publication_killed_while_everybody_is_computed_is_finished_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed()
    told(20)
    revision = retention_without_traits()
    forecast = predicted(revision)
    ask_to_publish(revision=revision.pk, now=clock())

    def killed(**_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr("lifecycle.install.replay_all", killed)
        publish_asked()
    assert Version.objects.filter(revision=revision, state=Version.State.BUILDING).exists()
    assert publish_asked() == 1
    assert {key: stage for key, (_was, stage) in forecast.items() if stage} == where([model().pk])
    check_standings()


@pytest.mark.django_db
def test_going_back_is_a_change_that_undoes_what_was_predicted() -> None:
    installed()
    told(50)
    stood = where([model().pk])
    live = model().live_version_id
    revision = retention_without_traits()
    ask_to_publish(revision=revision.pk, now=clock())
    publish_asked()
    assert where([model().pk]) != stood
    assert live is not None
    back = roll_back(version=live)
    ask_to_publish(revision=back.pk, now=clock())
    publish_asked()
    assert where([model().pk]) == stood


@pytest.mark.django_db
def test_a_discarded_new_segment_leaves_its_key_free() -> None:
    installed()
    revision = add_segment(key="keen", name="Keen", rule=BOUGHT_TWICE)
    start_preview(revision=revision.pk, now=clock())
    discard(revision=revision.pk)
    assert not Subject.objects.filter(key="keen").exists()
    assert not Stage.objects.filter(name="Keen").exists()
    assert not Preview.objects.exists()
    again = add_segment(key="keen", name="Keen", rule=BOUGHT_TWICE)
    ask_to_publish(revision=again.pk, now=clock())
    publish_asked()
    later = edit_segment(segment=Segment.objects.get(key="keen").pk, rule={"did": {}})
    discard(revision=later.pk)
    assert Segment.objects.get(key="keen").live_version_id is not None


@pytest.mark.django_db(transaction=True)
def test_the_command_counts_and_prints_what_a_change_moves(manage: Command) -> None:
    installed()
    told(12)
    revision = retention_without_traits()
    done = manage("preview", "--revision", str(revision.pk), check=True)
    assert "histories change" in done.stdout and "buckets counted" in done.stdout
    assert "1 changes live" in manage("publish", "--revision", str(revision.pk), check=True).stdout
    assert profile_of("p1")

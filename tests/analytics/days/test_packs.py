"""What is counted from packed histories is what the SQL files count row by row, however much has changed since they
were packed."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from analytics.days import packing, packs
from analytics.days.counters import COUNTERS, counted_rows
from analytics.days.fill import count_sales_anew
from analytics.days.held import Shelf
from analytics.days.kept import Kept, kept
from analytics.days.packing import keep_packs
from analytics.days.read_ahead import read_ahead, read_anew
from analytics.models import BegunPack, Counting, SoldPack, StagePack
from analytics.sales import types_of
from analytics.sorting import Sorting, segment, stage_model
from campaigns.models import Assignment, Experiment, Variant
from clm.lib import sql
from clm.lib.periods import day_start, local_day
from customers.ingest import clock
from customers.merge import merge
from customers.models import Profile, Role
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell

from .filling import filled
from .test_fill import ZONE
from .test_kept import KINDS

pytestmark = pytest.mark.django_db


def populate(first: int, last: int, seed: int) -> None:
    chance = random.Random(seed)
    for person in range(first, last):
        events = [chance.choice(KINDS) for _ in range(chance.randint(1, 12))]
        tell(
            *[
                happened(
                    f"p{person}",
                    kind,
                    ago(hours=chance.randint(1, 24 * 500)),
                    id=f"{seed}/{person}/{number}",
                    amount=amount,
                )
                for number, (kind, amount) in enumerate(events)
            ]
        )
    settle()


def assigned(seed: int) -> None:
    """An experiment in which many profiles take part, assigned at instants finer than a millisecond; of two pairs of
    people who turn out to be one person each, one had the same variant and the other had two."""
    chance = random.Random(seed)
    made = Experiment.objects.create(key="packs", name="Packs", salt="packs", planned=2, metrics=[])
    variants = [
        Variant.objects.create(experiment=made, position=at, key=name, weight=1) for at, name in enumerate("abc")
    ]
    given = {profile: chance.choice(variants) for profile in Profile.objects.order_by("pk") if chance.random() < 0.6}
    pairs = [
        [Profile.objects.get(customer=customer_of(f"p{number}")) for number in pair] for pair in ((16, 17), (18, 19))
    ]
    for (one, other), places in zip(pairs, ((0, 0), (1, 2)), strict=True):
        given |= {one: variants[places[0]], other: variants[places[1]]}
    Assignment.objects.bulk_create(
        Assignment(
            experiment=made,
            variant=variant,
            profile=profile,
            unit=profile.customer_id,
            at=ago(hours=chance.randint(1, 24 * 400)) + timedelta(microseconds=chance.randint(0, 999)),
        )
        for profile, variant in given.items()
    )
    for one, other in pairs:
        merge(customers=(one.customer_id, other.customer_id), now=clock())
    settle()


def surveyed(seed: int) -> None:
    """Surveys that were put to many people, what some answered, before being asked and after, on the scale and off it,
    and tickets."""
    chance = random.Random(seed)
    answers: list[Any] = [0, 3, 5, 7, 9, 10, 11, 4.5, "9", None]
    for person in range(20):
        for number in range(chance.randint(0, 8)):
            at = ago(hours=chance.randint(1, 24 * 500))
            said = {
                kind: chance.choice(answers) for kind in chance.sample(["nps", "csat", "ces"], chance.randint(1, 2))
            }
            ticket = {
                "ticket_ref": f"T{chance.randint(1, 3)}",
                "event": chance.choice(["opened", "replied", "resolved"]),
            }
            kind, properties = chance.choice(
                [
                    ("Survey Answered", said),
                    ("Survey Answered", said),
                    ("Survey Sent", {"survey": chance.choice(["NPS", "csat", "ces", "other"])}),
                    ("Ticket Opened", ticket),
                ]
            )
            tell(happened(f"p{person}", kind, at, properties=properties, id=f"s{seed}/{person}/{number}"))
    settle()


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges of seven customers, none of whom is too few to be packed."""
    monkeypatch.setattr(packs, "FEW", 0)
    monkeypatch.setattr(packing, "SIZE", 7)
    monkeypatch.setattr(packing, "LEAST_REST", timedelta(minutes=30))  # however long a test takes


@pytest.fixture(scope="module")
def packed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Packs of twenty customers, made once; each test undoes what it writes, as a transaction inside of this one."""
    with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as monkeypatch:
        make_small(monkeypatch)
        installed(time_zone=ZONE)
        populate(0, 20, seed=5)
        assigned(seed=5)
        surveyed(seed=5)
        filled()
        connection.check_constraints()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def shop(packed: None, db: None, monkeypatch: pytest.MonkeyPatch) -> Kept:
    make_small(monkeypatch)
    return kept()


def questions(found: Kept, seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Questions of every counter, of everybody and of a segment, with and without lists."""
    chance, model, active = random.Random(seed), stage_model("seven"), segment("active_customer")
    assert found.known_at is not None
    now, inside = found.known_at, active.stage_id("in")
    starts = [now - timedelta(hours=chance.randint(1, 24 * 500)) for _ in range(3)]
    starts.append(day_start(local_day(now, ZONE) - timedelta(days=40), ZONE))
    untils = [start + timedelta(hours=chance.randint(1, 24 * 300)) for start in starts]
    start, until = starts[0], untils[0]
    # A window that was cut short before it began, and one that is empty.
    starts += [now - timedelta(days=20), now - timedelta(days=30)]
    untils += [now - timedelta(days=50), now - timedelta(days=30)]
    stages = list(model.stages)
    asked: list[tuple[str, dict[str, Any]]] = []
    amongs: tuple[dict[str, Any], ...] = (
        {"segment": None, "segment_in": None, "as_of": None},
        {"segment": active.version, "segment_in": inside, "as_of": now},
        {"segment": active.version, "segment_in": inside, "as_of": now - timedelta(days=90)},
    )
    for among in amongs:
        of = {"version": model.version, "known_at": None, **among}
        then = {**among, "as_of": among["as_of"] or now}
        asked.append(("analytics/stage_trend", {"instants": sorted([*starts, now]), **of}))
        asked.append(("analytics/stage_flows", {"start_at": start, "until_at": until, **of}))
        for is_listed, some in ((False, None), (True, chance.sample([0, *stages], 3)), (True, [0])):
            asked.append(
                (
                    "analytics/stage_shifts",
                    {
                        "first_at": start,
                        "second_at": until,
                        "is_listed": is_listed,
                        "sources": some,
                        "targets": stages if some else None,
                        **of,
                    },
                )
            )
        for listed in (None, *stages[:4]):
            of_period = {"version": model.version, "start_at": start, "until_at": until, "listed": listed, **then}
            asked.append(("analytics/stage_stays", of_period))
            asked.append(("analytics/stage_ways", {"steps": stages[:5], **of_period}))
        periods = {"starts": starts, "untils": untils}
        for group in (None, "started", "ended", "kept", "lost", "first", "reactivated", "came_and_went", "stopped"):
            of_active = {"version": active.version, "inside": inside, "listed": group, "products_only": False}
            asked.append(("analytics/retention", {**periods, **of_active, **among}))
        types = {"purchases": types_of(Role.PURCHASE), "refunds": types_of(Role.REFUND)}
        for group in (None, "buyers", "first_paying", "customers"):
            for lines in (False, True):
                one = {**periods, **types, "version": active.version, "inside": inside, "listed": group}
                asked.append(("analytics/sales", {**one, "products_only": lines, **among}))
        asked.append(
            (
                "analytics/sales",
                {**periods, **types, "version": None, "inside": None, "listed": None, "products_only": False, **among},
            )
        )
        borders = [now - timedelta(days=40 * back) for back in range(9, -1, -1)]
        for begins in (
            {"beginnings": types["purchases"], "priced": True, "entered": None, "entered_in": None},
            {"beginnings": types_of(Role.SIGNUP), "priced": False, "entered": None, "entered_in": None},
            {"beginnings": None, "priced": False, "entered": None, "entered_in": None},
            {"beginnings": None, "priced": False, "entered": active.version, "entered_in": inside},
        ):
            for cohort, offset, after in ((None, None, False), (2, None, False), (3, 0, False), (1, 2, True)):
                cell = {"listed_cohort": cohort, "listed_offset": offset, "after": after, "products_only": after}
                asked.append(("analytics/cohorts", {**begins, **cell, **types, "borders": borders, **then}))
        asked += questions_of_tellings(model, periods, among, chance)
    return [*asked, *questions_of_experiments(now, chance)]


def questions_of_tellings(
    model: Sorting, periods: dict[str, list[datetime]], among: dict[str, Any], chance: random.Random
) -> list[tuple[str, dict[str, Any]]]:
    """What was answered, who was asked, and among a segment the tickets."""
    feedback, asking, support = (types_of(role) for role in (Role.FEEDBACK, Role.EXPOSURE, Role.SUPPORT))
    period = {"start_at": min(periods["starts"]), "until_at": max(periods["untils"])}
    asked: list[tuple[str, dict[str, Any]]] = []
    for kind in (None, "nps", "csat", "ces"):
        for scores in (None, [9, 10], [0, 3]):
            for stage in (None, 0, *chance.sample(list(model.stages), 2)):
                listed = {"listed_kind": kind, "listed_scores": scores, "listed_stage": stage}
                of = {"feedback": feedback, "version": model.version, **periods, **listed, **among}
                asked.append(("analytics/feedback_answers", of))
        for group in ("asked", "answered", "silent"):
            listed = {"listed_kind": kind, "listed_group": group if kind else None}
            of = {"feedback": feedback, "asking": asking, **period, **listed, **among}
            asked.append(("analytics/feedback_asked", of))
    if among["segment"] is not None:
        asked.append(
            ("analytics/support_tickets", {"support": support, "until_known": period["until_at"], **period, **among})
        )
    return asked


def questions_of_experiments(now: datetime, chance: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """What became of who was assigned, by every kind of metric, with and without lists."""
    made, model = Experiment.objects.get(), stage_model("seven")
    variants = [one.pk for one in made.variants.all()]
    nothing: dict[str, Any] = {"version": None, "stage": None}
    reached = [{"kind": "reached", "before": 0, "version": model.version, "stage": one} for one in model.stages]
    asked: list[tuple[str, dict[str, Any]]] = []
    for metric in (
        {"kind": "conversion", "before": 0, **nothing},
        {"kind": "revenue", "before": 90, **nothing},
        {"kind": "conversion", "before": 400, **nothing},
        {"kind": "reached", "before": 0, **nothing},
        {**reached[0], "before": 30},
        *reached,
    ):
        for group in (None, "assigned", "conflicting", "counted", "converted"):
            of = {
                "experiment": made.pk,
                "days": chance.randint(1, 300),
                "until_at": now - timedelta(hours=chance.randint(0, 24 * 100), microseconds=chance.randint(0, 999)),
                "purchases": types_of(Role.PURCHASE),
                "refunds": types_of(Role.REFUND),
                "listed_group": group,
                "listed_variant": chance.choice(variants) if group not in (None, "conflicting") else None,
            }
            asked.append(("analytics/experiment_results", {**metric, **of}))
    return asked


def plainly(rows: list[tuple[Any, ...]]) -> Counter[str]:
    """Rows without their order, lists of customers without theirs; changes that come to nothing say nothing."""

    def plain(one: Any) -> Any:
        return sorted(one) if isinstance(one, list) else int(one) if isinstance(one, Decimal) else one

    return Counter(repr(tuple(plain(one) or None for one in row)) for row in rows)


def compare(found: Kept, seed: int) -> None:
    seen = Counter[str]()
    for name, asked in questions(found, seed):
        told = counted_rows(name, found.packs, asked)
        assert told is not None, name
        expected = sql.rows(name, **asked)
        if name == "analytics/stage_trend":
            told, expected = ([row for row in rows if row[2]] for rows in (told, expected))
        assert plainly(told) == plainly(expected), (name, asked)
        seen[name] += len(expected)
    assert seen.keys() == COUNTERS.keys()
    assert all(seen.values()), seen


def test_every_counter_counts_what_its_file_counts(shop: Kept) -> None:
    assert StagePack.objects.count() >= 3 * 4 and SoldPack.objects.count() >= 2 and BegunPack.objects.count() >= 3
    for seed in range(3):
        compare(kept(), seed)


def test_an_experiment_has_customers_of_one_variant_of_two_and_ones_who_did_it(shop: Kept) -> None:
    rows = [
        row
        for name, asked in questions(shop, 1)
        if "experiment" in name
        for row in counted_rows(name, shop.packs, asked) or ()
    ]
    variants = {row[0] for row in rows}
    assert None in variants and len(variants) >= 3
    assert {bool(row[8]) for row in rows if row[0]} == {True, False}
    assert any(row[7] for row in rows)  # money before and after


def test_whoever_changed_since_is_read_anew(shop: Kept) -> None:
    populate(15, 26, seed=6)
    with transaction.atomic():
        merge(customers=(customer_of("p3"), customer_of("p4")), now=clock())
    settle()
    marks = {mark.version: mark.known_at for mark in Counting.objects.filter(statistic="packs")}
    filled()
    assert {mark.version: mark.known_at for mark in Counting.objects.filter(statistic="packs")} == marks
    compare(kept(), seed=9)


def test_a_few_are_read_by_their_rows(shop: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "FEW", 1_000)
    compare(kept(), seed=4)


def test_packs_are_made_anew_when_they_are_old_and_something_came(shop: Kept) -> None:
    def known() -> dict[int, Any]:
        return {mark.version: mark.known_at for mark in Counting.objects.filter(statistic="packs")}

    before = known()
    hour = timedelta(hours=1)
    for mark in Counting.objects.filter(statistic="packs"):
        assert mark.done_at is not None
        # Made in no time, however long it took here: the rest after a long making is longer.
        Counting.objects.filter(pk=mark.pk).update(started_at=mark.done_at - hour, done_at=mark.done_at - hour)
    assert keep_packs(known_at=clock()) == 0 and known() == before  # nothing came
    populate(0, 3, seed=8)
    filled()
    after = known()
    assert all(after[version] > before[version] for version in before if version in (0, -1))
    compare(kept(), seed=2)


def test_a_first_packing_that_is_killed_goes_on_where_it_stopped(shop: Kept) -> None:
    known_at = clock()
    Counting.objects.filter(statistic="packs").delete()
    for table in (StagePack, SoldPack, BegunPack):
        table.objects.all().delete()

    class KilledError(Exception):
        pass

    told: list[str] = []

    def kill(line: str) -> None:
        told.append(line)
        if len(told) == 2:
            raise KilledError

    with pytest.raises(KilledError):
        keep_packs(known_at=known_at, tell=kill)
    marks = Counting.objects.filter(statistic="packs")
    assert {(mark.state, mark.next_customer) for mark in marks} == {("started", 2 * packing.SIZE)}
    assert kept().packs is None  # half of the histories are told nobody
    populate(0, 9, seed=7)  # in ranges that are strung already, and in others
    with transaction.atomic():
        merge(customers=(customer_of("p1"), customer_of("p18")), now=clock())
    settle()
    again: list[str] = []
    assert keep_packs(known_at=clock(), tell=again.append) == marks.count()
    assert again and told[1] not in again
    assert {(mark.state, mark.known_at) for mark in marks.all()} == {("done", known_at)}
    compare(kept(), seed=3)


def test_what_was_taken_back_is_not_read_from_packs(shop: Kept) -> None:
    count_sales_anew()
    assert kept().packs is not None
    name, asked = next(one for one in questions(shop, 1) if one[0] == "analytics/sales")
    assert counted_rows(name, kept().packs, asked) is None


def test_packs_of_another_mapping_are_not_read(shop: Kept) -> None:
    name, asked = next(one for one in questions(shop, 1) if one[0] == "analytics/sales")
    other = {**asked, "purchases": asked["purchases"][:-1]}
    assert counted_rows(name, shop.packs, other) is None
    assert counted_rows(name, shop.packs, {**asked, "known_at": shop.known_at}) is None
    assert counted_rows("analytics/kept_sales", shop.packs, asked) is None


def test_what_is_packed_is_read_before_anybody_asks_and_again_when_it_is_packed_anew(
    shop: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "SHELF", Shelf())
    monkeypatch.setattr(packs, "may_be_held", lambda: True)

    def reads(act: Callable[[], None]) -> int:
        before = len(copied)
        act()
        return len(copied) - before

    copied: list[int] = []
    fetch = packs._packed

    def counted(subject: int) -> Any:
        copied.append(subject)
        return fetch(subject)

    monkeypatch.setattr(packs, "_packed", counted)
    everything = set(shop.packs.marks if shop.packs else ())
    assert reads(read_ahead) == len(everything) >= 5 and set(copied) == everything
    assert copied[-1] == segment("active_customer").version
    assert reads(read_anew) == 0
    Counting.objects.filter(statistic="packs", version=packs.SOLD).update(done_at=clock())
    assert reads(read_anew) == 1 and copied[-1] == packs.SOLD
    copied.clear()
    for name, asked in questions(kept(), 4)[:3]:
        counted_rows(name, kept().packs, asked)
    assert not copied


def test_what_has_changed_is_read_once_by_a_process(shop: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "SHELF", Shelf())
    monkeypatch.setattr(packs, "may_be_held", lambda: True)
    monkeypatch.setattr(packs, "settled_until", clock)  # nobody else writes; this transaction hides nothing from itself
    read: list[str] = []
    fetch = packs.fetch_columns

    def counted(name: str, *args: Any, **asked: Any) -> Any:
        read.append(f"{name} {asked.get('version', '')}")
        return fetch(name, *args, **asked)

    monkeypatch.setattr(packs, "fetch_columns", counted)
    populate(18, 24, seed=7)
    time.sleep(0.002)  # instants are whole milliseconds
    compare(kept(), 6)
    changed = {one for one in read if "_of " in one}
    assert len(changed) >= 4
    read.clear()
    time.sleep(0.002)
    compare(kept(), 6)
    assert not changed & set(read)
    populate(22, 26, seed=8)
    with transaction.atomic():
        merge(customers=(customer_of("p5"), customer_of("p6")), now=clock())
    settle()
    compare(kept(), 7)
    assert changed & set(read)

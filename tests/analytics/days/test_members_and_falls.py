"""Lists of large installations: who is in a stage, and who will lapse."""

from datetime import timedelta

import pytest

from analytics.customer_list import Asked, Falls, customers, falling, matching
from analytics.days import falls, kept
from analytics.days.kept import Kept
from analytics.models import Counting, Fall, Member
from analytics.sorting import Sorting, lapsed_stage, segment, stage_model, stage_models
from customers.ingest import clock
from lifecycle.models import Standing, Subject
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell
from tests.lifecycle.test_permutation import undone

from .filling import any_program, carry_out, filled


@pytest.fixture
def world(db: None) -> None:
    installed()


def kept_members() -> list[tuple[int, int, int]]:
    return sorted(Member.objects.values_list("version", "stage", "customer"))


def standing_members() -> list[tuple[int, int, int]]:
    live = dict(Subject.objects.exclude(live_version=None).values_list("pk", "live_version"))
    rows = Standing.objects.values_list("subject_id", "stage_id", "customer_id")
    return sorted((live[subject], stage, customer) for subject, stage, customer in rows)


@pytest.mark.lasting("people")
@any_program(8)
def test_members_are_those_who_stand_there(world: None, weave: tuple, fills: list[bool]) -> None:
    with undone():
        carry_out(weave, fills)
        filled()
        assert kept_members() == standing_members()


@pytest.fixture
def shop(world: None, monkeypatch: pytest.MonkeyPatch) -> Kept:
    monkeypatch.setattr("analytics.days.kept.MANY", 1)
    for number in range(12):
        tell(happened(f"p{number}", "Order Completed", ago(days=155 + 3 * number), amount=500))
    settle()
    filled()
    return kept.kept()


def listed(asked: Asked, model: Sorting) -> list[int]:
    found, cursor = [], None
    while True:
        page = customers(asked=asked, models=[model], now=clock(), cursor=cursor, page_size=2)
        found += [row.id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_a_list_by_stage_is_the_same_from_the_copy(shop: Kept) -> None:
    for model in [*stage_models(), segment("active_customer")]:
        assert shop.lists_members(model.version)
        for stage in model.stages:
            copy = Asked(stages=((model, (stage,)),), kept=shop)
            live = Asked(stages=((model, (stage,)),))
            assert listed(copy, model) == listed(live, model)
            assert matching(asked=copy, now=clock()) == matching(asked=live, now=clock())
    both = tuple(stage_model().stages)[:3]
    several = [Asked(stages=((stage_model(), both),), search="p1", kept=one) for one in (shop, None)]
    assert listed(several[0], stage_model()) == listed(several[1], stage_model())


def test_who_will_lapse_is_kept_with_its_instant(shop: Kept) -> None:
    model = stage_model()
    stage = lapsed_stage(model)
    assert stage is not None
    asked = Falls(model=model, stage=stage)
    exact = falling(falls=asked, now=clock())
    assert 0 < len(exact) < 12
    assert shop.falls_known_at(model.version) is not None
    assert sorted(listed(Asked(falls=asked, kept=shop), model)) == exact
    assert sorted(Fall.objects.filter(version=model.version or 0).values_list("customer", flat=True)) == exact
    # Something happens: the kept list says so when it is computed again, which it is not before it has rested.
    one = exact[0]
    person = next(f"p{number}" for number in range(12) if customer_of(f"p{number}") == one)
    tell(happened(person, "Page Viewed", ago(days=1)))
    settle()
    assert falls.count_falls() == 0
    Counting.objects.filter(statistic="falls").update(
        started_at=clock() - timedelta(hours=1), done_at=clock() - timedelta(hours=1)
    )
    assert falls.count_falls() == 3 - sum(lapsed_stage(each) is None for each in stage_models())
    assert one not in listed(Asked(falls=asked, kept=kept.kept()), model)


def test_falls_that_were_killed_are_computed_again_after_an_hour(shop: Kept) -> None:
    Counting.objects.filter(statistic="falls").update(moves_seen=1, started_at=clock())
    assert falls.count_falls() == 0
    Counting.objects.filter(statistic="falls").update(started_at=clock() - timedelta(hours=2))
    assert falls.count_falls() > 0


def test_the_size_of_a_stage_is_the_one_kept_and_that_of_its_list(shop: Kept) -> None:
    for model in stage_models():
        for stage in model.stages:
            asked = Asked(stages=((model, (stage,)),), kept=shop)
            page = customers(asked=asked, models=[model], now=clock(), page_size=2, counted=True)
            assert page.size is not None and page.size.is_exact
            assert page.size.number == len(listed(asked, model)) == matching(asked=asked, now=clock()).number

"""Whatever happens, in any order and however late: what is kept per day is what counting everything anew says."""

import time
from decimal import Decimal

import pytest
from django.db import connection

from analytics.days.fill import fill
from analytics.days.kept import kept
from analytics.models import Activity, Broken, Counting, Revision, SalesDay, Seen, StageDay, StageMove, StageShift
from clm.lib.periods import local_day
from customers.events import Line
from customers.ingest import clock
from customers.merge import merge
from customers.models import Cause, Customer, Installation, Touchpoint, TouchpointType
from lifecycle.models import Stage, StageModel
from tests.lifecycle.making import ago, customer_of, happened, installed, new_version, settle, tell
from tests.lifecycle.test_permutation import undone

from .filling import any_program, carry_out, filled
from .reference import Reference, check

ZONE = "America/St_Johns"


def checked() -> None:
    today = local_day(clock(), Installation.current().time_zone)
    check(Reference(zone=Installation.current().time_zone, today=today))
    assert not Broken.objects.exists()


@pytest.fixture
def world(db: None) -> None:
    installed(time_zone=ZONE)


@pytest.mark.lasting("people")
@any_program(15)
def test_after_any_program_of_facts_merges_and_fills_kept_figures_equal_recomputed_ones(
    world: None, weave: tuple, fills: list[bool]
) -> None:
    with undone():
        carry_out(weave, fills)
        filled()
        checked()


def test_a_second_fill_changes_nothing(world: None) -> None:
    tell(happened("a", "Order Completed", ago(days=40), amount=500), happened("b", "Page Viewed", ago(days=3)))
    settle()
    first = filled()
    assert first.anew == 6 and first.rows > 0 and first.broken == 0
    assert (again := filled()).rows == 0 and again.anew == 0
    checked()


def test_what_is_recorded_while_a_fill_runs_is_left_to_the_next(world: None) -> None:
    filled()
    tell(happened("a", "Order Completed", ago(days=40), amount=500))
    settle()
    Counting.objects.update(known_at=clock())  # as if it had looked just after
    assert filled().rows == 0


def test_a_late_fact_moves_finished_days_and_keeps_what_they_were_and_why(world: None) -> None:
    tell(happened("a", "Page Viewed", ago(days=50)))
    settle()
    filled()
    day = local_day(ago(days=20), ZONE)
    model = StageModel.objects.get(key="seven")
    acquired = Stage.objects.get(subject=model, key="acquisition")
    assert not Revision.objects.exists()
    tell(happened("a", "Order Completed", ago(days=20), amount=2_500))
    settle()
    filled()
    moved = Revision.objects.get(statistic="stages", version=model.live_version_id or 0, day=day, cell=acquired.pk)
    assert moved.was == {"customers": 0, "entered": 0, "left": 0}
    assert moved.became == {"customers": 1, "entered": 1, "left": 0}
    assert moved.cause == Cause.LATE
    sold = Revision.objects.get(statistic="sales", day=day, cell=0)
    assert (sold.was["bought"], sold.became["bought"], sold.cause) == (0, 2_500, Cause.LATE)
    # Another one on the same day of revising keeps what the figure was before both.
    tell(happened("b", "Order Completed", ago(days=20), amount=1_000))
    settle()
    filled()
    sold.refresh_from_db()
    assert (sold.was["bought"], sold.became["bought"]) == (0, 3_500)
    checked()


def test_a_merge_makes_two_buyers_of_a_day_one(world: None) -> None:
    at = ago(days=10)
    tell(happened("a", "Order Completed", at, amount=100), happened("b", "Order Completed", at, amount=200))
    settle()
    filled()
    day = SalesDay.objects.get(day=local_day(at, ZONE), products_only=False)
    assert (day.buyers, day.first_paying, day.bought) == (2, 2, 300)
    merge(customers=(customer_of("a"), customer_of("b")), now=clock())
    filled()
    day.refresh_from_db()
    assert (day.buyers, day.first_paying, day.bought) == (1, 1, 300)
    moved = Revision.objects.get(statistic="sales", day=day.day, cell=0)
    assert (moved.was["buyers"], moved.became["buyers"], moved.cause) == (2, 1, Cause.MERGE)
    settle()
    filled()
    checked()


def test_lines_that_are_not_products_are_left_out_of_products_only(world: None) -> None:
    lines = (
        Line(product="P", quantity=Decimal(1), amount=700),
        Line(product="POST", quantity=Decimal(1), amount=300, is_product=False),
    )
    only_postage = (Line(product="POST", quantity=Decimal(1), amount=300, is_product=False),)
    tell(
        happened("a", "Order Completed", ago(days=10), amount=1_000, lines=lines),
        happened("b", "Order Completed", ago(days=10), amount=300, lines=only_postage),
    )
    settle()
    filled()
    rows = {row.products_only: (row.orders, row.bought, row.buyers) for row in SalesDay.objects.all()}
    assert rows == {False: (2, 1_300, 2), True: (1, 700, 1)}
    checked()


def test_a_new_version_is_counted_anew_and_the_old_one_forgotten(world: None) -> None:
    new_version("buyers", {"did": {"role": "purchase"}})
    tell(happened("a", "Order Completed", ago(days=40), amount=500), happened("b", "Page Viewed", ago(days=3)))
    settle()
    filled()
    old = set(Counting.objects.filter(statistic="stages").values_list("version", flat=True))
    new_version("buyers", {"did": {"role": "visit"}})
    assert filled().anew == 1
    new = set(Counting.objects.filter(statistic="stages").values_list("version", flat=True))
    assert len(old - new) == len(new - old) == 1
    for table in (StageDay, StageMove, StageShift):
        assert set(table.objects.values_list("version", flat=True).distinct()) == new
    checked()


def test_another_time_zone_or_mapping_counts_anew(world: None) -> None:
    tell(happened("a", "Order Completed", ago(days=40), amount=500), happened("b", "Page Viewed", ago(days=3)))
    settle()
    filled()
    TouchpointType.objects.filter(name="Page Viewed").update(role="purchase")
    assert filled().anew == 1
    checked()
    Installation.objects.update(time_zone="Pacific/Kiritimati")
    assert filled().anew == 5
    checked()


def test_days_without_a_fill_fill_themselves(world: None) -> None:
    tell(happened("a", "Order Completed", ago(days=40), amount=500))
    settle()
    filled()
    day = local_day(clock(), ZONE)
    # As if nobody had counted for some days: nothing was there yet.
    StageDay.objects.filter(day__gt=local_day(ago(days=5), ZONE)).delete()
    Counting.objects.update(last_day=local_day(ago(days=5), ZONE), known_at=ago(days=5))
    with connection.cursor() as cursor:  # and what was counted had been recorded before
        cursor.execute(
            "UPDATE lifecycle_transition SET recorded_at = greatest(entered_at, recorded_at - interval '6 days')"
        )
        cursor.execute("UPDATE customers_touchpoint SET received_at = received_at - interval '6 days'")
    tell(happened("b", "Page Viewed", ago(days=3)))
    settle()
    filled()
    assert StageDay.objects.filter(day=day).exists()
    assert (
        Counting.objects.exclude(last_day=day).exclude(statistic__in=["seen", "falls", "listed", "packs"]).count() == 0
    )
    checked()


def test_a_killed_count_goes_on_where_it_stopped(world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        tell(happened(f"p{number}", "Order Completed", ago(days=40 + number), amount=500))
    settle()
    # The first part ends behind the first customer; numbers of customers go up with every test.
    chunk = Customer.objects.order_by("pk").values_list("pk", flat=True)[0] + 1
    monkeypatch.setattr("analytics.days.fill.CHUNK", chunk)
    monkeypatch.setattr("analytics.days.fill.PART_SECONDS", 0.000001)
    told: list[str] = []

    class KilledError(Exception):
        pass

    def kill(line: str) -> None:
        told.append(line)
        if len(told) == 2:
            raise KilledError

    time.sleep(0.002)
    with pytest.raises(KilledError):
        fill(tell=kill)
    started = Counting.objects.filter(state="started")
    assert {one.next_customer for one in started} == {chunk}
    # What happens meanwhile is added once the count is done.
    tell(happened("p0", "Order Completed", ago(days=90), amount=700), happened("new", "Page Viewed", ago(days=1)))
    settle()
    filled()
    assert not started.all().exists()
    checked()


def test_a_killed_count_of_sales_goes_on_and_merges_meanwhile_are_counted_once(
    world: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        tell(
            happened(f"p{number}", "Order Completed", ago(days=40 + number), amount=500),
            happened(f"p{number}", "Order Refunded", ago(days=30 + number), amount=-(number + 1)),
        )
    settle()
    numbers = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    monkeypatch.setattr("analytics.days.fill.CHUNK", numbers[2] + 1)  # the first part ends behind the third customer
    monkeypatch.setattr("analytics.days.fill.SALES_SECONDS", 0.0)

    class KilledError(Exception):
        pass

    def kill(line: str) -> None:
        if line.startswith("sales") and Counting.objects.get(statistic="sales").next_customer:
            raise KilledError

    time.sleep(0.002)
    with pytest.raises(KilledError):
        fill(tell=kill)
    mark = Counting.objects.get(statistic="sales")
    assert (mark.state, mark.next_customer) == ("started", numbers[2] + 1) and SalesDay.objects.exists()
    assert not kept().has_sales  # half a count is told nobody
    # One who is counted and one who is not become one, either way round; and something else happens.
    for pair in (("p0", "p5"), ("p4", "p1")):
        merge(customers=(customer_of(pair[0]), customer_of(pair[1])), now=clock())
    tell(happened("p2", "Order Completed", ago(days=90), amount=700), happened("new", "Order Completed", ago(days=1)))
    settle()
    filled()
    assert Counting.objects.get(statistic="sales").state == "done"
    checked()


def test_a_fill_that_fails_half_way_counts_nothing_twice(world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(happened("a", "Order Completed", ago(days=40), amount=500))
    settle()
    filled()
    tell(happened("a", "Order Completed", ago(days=20), amount=700))
    settle()

    def broken_off(*, now: object) -> int:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("analytics.days.fill.broken_identities", broken_off)
        time.sleep(0.002)
        with pytest.raises(RuntimeError):
            fill()
    filled()
    checked()


def test_a_broken_identity_is_found_and_named(world: None) -> None:
    tell(happened("a", "Order Completed", ago(days=40), amount=500))
    settle()
    filled()
    row = StageDay.objects.filter(day=local_day(ago(days=20), ZONE), customers=1).order_by("stage").first()
    assert row is not None
    StageDay.objects.filter(pk=row.pk).update(customers=7)
    tell(happened("a", "Page Viewed", ago(days=1)))
    settle()
    assert filled().broken > 0
    said = Broken.objects.filter(identity="open + entered - left", day=row.day).values_list("said", flat=True)
    assert any("is not 7" in one for one in said)
    time.sleep(0.002)
    fill(anew=True)
    checked()


def test_sales_that_cannot_be_are_found_and_named(world: None) -> None:
    tell(happened("a", "Order Completed", ago(days=40), amount=500))
    settle()
    filled()
    SalesDay.objects.filter(orders=1, products_only=False).update(first_paying=3)
    Activity.objects.filter(length=30, customers=1).update(customers=9)
    tell(happened("a", "Page Viewed", ago(days=1)))
    settle()
    assert filled().broken > 0
    found = set(Broken.objects.values_list("identity", flat=True))
    assert {"buyers", "activity"} <= found
    time.sleep(0.002)
    fill(anew=True)
    checked()


def test_sources_and_their_types_are_counted_once(world: None) -> None:
    tell(happened("a", "Order Completed", ago(days=40), amount=500), happened("b", "Page Viewed", ago(days=3)))
    filled()
    tell(happened("c", "Page Viewed", ago(days=300)), by="other")
    tell(happened("c", "Page Viewed", ago(days=2)))
    filled()
    for row in Seen.objects.all():
        of = Touchpoint.objects.filter(source=row.source_id, type=row.type_id)
        instants = sorted(of.values_list("occurred_at", flat=True))
        assert (row.touchpoints, row.first_at, row.last_at) == (len(instants), instants[0], instants[-1])
    assert sum(Seen.objects.values_list("touchpoints", flat=True)) == Touchpoint.objects.count() == 4

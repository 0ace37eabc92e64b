"""What is recorded and not yet committed: a count neither waits for it nor passes it by."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from analytics.days.fill import fill
from analytics.models import Counting, SalesDay, StageDay
from customers import locks
from customers.ingest import clock
from customers.merge import merge
from lifecycle.advance import advance
from lifecycle.models import Transition
from tests.lifecycle.conftest import Running, Side
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell

from .filling import filled
from .test_fill import checked

Run = Callable[[Callable[[], Any]], Running]


@pytest.fixture(autouse=True)
def world(transactional_db: None) -> None:
    installed()
    tell(happened("a", "Order Completed", ago(days=9), amount=100), happened("b", "Page Viewed", ago(days=8)))
    settle()
    filled()


def bought() -> int:
    return sum(SalesDay.objects.filter(products_only=False).values_list("bought", flat=True))


def test_an_ingest_that_commits_after_a_fill_is_counted_by_the_next(side: Side, run: Run) -> None:
    with side.table("customers_touchpoint"):
        telling = run(lambda: tell(happened("a", "Order Completed", ago(days=7), amount=50)))
        side.waits_for("customers_touchpoint")
        time.sleep(0.01)
        # Of this database alone: in others of this server other tests wait for locks of their own.
        ((began,),) = side.ask(
            "SELECT min(xact_start) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        until = locks.settled_until()
        assert until is not None and until <= began < clock()
    telling.result()
    # A fill that had looked up to an instant after its arrival would never see it; this one has not.
    Counting.objects.filter(statistic="sales").update(known_at=until)
    filled()
    assert bought() == 150
    checked()


def test_an_advance_in_the_middle_of_writing_holds_the_count_back_and_not_the_other_way_round(
    side: Side, run: Run
) -> None:
    tell(happened("b", "Order Completed", ago(days=7), amount=50))
    with side.table("lifecycle_standing"):
        advancing = run(advance)
        side.waits_for("lifecycle_standing")
        time.sleep(0.01)
        assert fill().known_at is not None  # it waits for nobody
        assert bought() == 150
        counted = Counting.objects.filter(statistic="stages").order_by("known_at").values_list("known_at", flat=True)[0]
    assert advancing.result().customers == 1
    # What it wrote says that it was recorded after what the fill has counted.
    latest = Transition.objects.order_by("-recorded_at").values_list("recorded_at", flat=True)[0]
    assert Transition.objects.filter(recorded_at=latest, customer=customer_of("b")).exists() and latest >= counted
    filled()
    assert StageDay.objects.filter(version__subject__key="active_customer", customers=2).exists()
    checked()


def test_a_fill_in_the_middle_keeps_out_another_and_neither_ingest_nor_advance(side: Side, run: Run) -> None:
    tell(happened("a", "Order Completed", ago(days=6), amount=50))
    settle()
    time.sleep(0.002)
    with side.table("analytics_salesday"):
        filling = run(fill)
        side.waits_for("analytics_salesday")
        assert fill().known_at is None
        tell(happened("b", "Order Completed", ago(days=5), amount=25))
        assert settle().customers == 1
        merging = run(lambda: merge(customers=(customer_of("a"), customer_of("b")), now=clock()))
        side.waits_for(str(locks.MERGES))
    filling.result()
    merging.result()
    settle()
    filled()
    assert bought() == 175
    checked()

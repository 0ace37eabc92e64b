"""Ways to the first purchase against a plain walk through every history, and against the lists that they open."""

import random
from collections import Counter
from datetime import timedelta

import pytest

from analytics import paths as module
from analytics.behind import customers_behind, path_group, said
from analytics.paths import KINDS, LONGEST, MORE, Way, paths
from analytics.scope import Scope
from analytics.sorting import stage_model
from clm.lib.periods import days, local_day
from clm.lib.questions import QuestionError
from customers.models import Profile, Role, Touchpoint, TouchpointType
from lifecycle.models import Stage, Transition
from tests.lifecycle.making import ago, happened, installed, settle, tell

pytestmark = pytest.mark.django_db
EVENTS = ("Page Viewed", "Signed Up", "Product Added", "Ad Shown", "Feature Used", "Checkout Started", "Plan Upgraded")


@pytest.fixture
def scope() -> Scope:
    installed(time_zone="UTC")
    chance = random.Random(12)
    for person in range(30):
        name, at = f"p{person}", chance.randint(60, 400)
        events = [happened(name, "Order Completed", ago(days=at), amount=500, id=f"{person}/order")]
        for number in range(chance.randint(0, 9)):
            when = ago(days=at - 5 + chance.randint(1, 90), hours=number)
            events.append(happened(name, chance.choice(EVENTS), when, id=f"{person}/{number}"))
        tell(*events)
    tell(happened("never", "Page Viewed", ago(days=100)))
    settle()
    now = ago(days=0)
    today = local_day(now, "UTC")
    return Scope(days(start=today - timedelta(days=300), until=today - timedelta(days=80), zone="UTC"), now)


def plainly(scope: Scope, kind: str) -> dict[int, Way]:
    roles = dict(TouchpointType.objects.values_list("pk", "role"))
    owner = dict(Profile.objects.values_list("pk", "customer"))
    told: dict[int, list[Touchpoint]] = {}
    for one in Touchpoint.objects.order_by("occurred_at"):
        told.setdefault(owner[one.profile_id], []).append(one)
    stages = dict(Stage.objects.values_list("pk", "key"))
    order = [str(role) for role in Role.values]
    found = {}
    for customer, happenings in told.items():
        orders = [one.occurred_at for one in happenings if roles[one.type_id] == Role.PURCHASE and one.amount]
        if not orders or not scope.period.start_at <= orders[0] < scope.period.until_at:
            continue
        if kind == "stages":
            entered = Transition.objects.filter(
                customer=customer, version=stage_model("seven").version, superseded_at=None, entered_at__lt=orders[0]
            )
            steps = [stages[one.stage_id] for one in entered.order_by("entered_at")]
        else:
            first: dict[str, tuple] = {}
            for one in happenings:
                if one.occurred_at < orders[0]:
                    first.setdefault(roles[one.type_id], (one.occurred_at, order.index(roles[one.type_id])))
            steps = sorted(first, key=lambda role: first[role])
        found[customer] = (*steps[:LONGEST], *([MORE] if len(steps) > LONGEST else []))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_ways_are_what_walking_through_every_history_gives(kind: str, scope: Scope) -> None:
    model, expected = stage_model("seven"), plainly(scope, kind)
    found = paths(model=model, scope=scope, kind=kind)
    assert found.customers == found.told_of == len(expected) > 10
    common = Counter(expected.values())
    assert found.different == len(common)
    assert {row.way: row.customers for row in found.rows}.items() <= common.items()
    assert [row.customers for row in found.rows] == sorted(common.values(), reverse=True)[: len(found.rows)]
    assert found.others == len(expected) - sum(row.customers for row in found.rows)
    for row in found.rows:
        group = path_group(model, kind, row.way)
        listed = customers_behind(scope=scope, group=group)
        assert listed == sorted(customer for customer, way in expected.items() if way == row.way)
        assert said(group) and row.hours >= 0 and len(row.names) <= LONGEST


def test_of_very_many_some_are_drawn_and_told_of(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWN", 5)
    model = stage_model("seven")
    found = paths(model=model, scope=scope, kind="touches")
    assert found.told_of == 5 < found.customers
    listed = [len(customers_behind(scope=scope, group=path_group(model, "touches", row.way))) for row in found.rows]
    assert listed == [row.customers for row in found.rows]


def test_nobody_came_by_no_way() -> None:
    installed(time_zone="UTC")
    now = ago(days=0)
    today = local_day(now, "UTC")
    scope = Scope(days(start=today - timedelta(days=9), until=today, zone="UTC"), now)
    for kind in KINDS:
        found = paths(model=stage_model("seven"), scope=scope, kind=kind)
        assert (found.customers, found.told_of, found.rows) == (0, 0, ())


@pytest.mark.parametrize("group", ["path:stages:eight:a", "path:roads:seven:a", "path:", "path:stages"])
def test_a_way_that_there_is_not_is_a_fault_of_its_field(group: str) -> None:
    installed(time_zone="UTC")
    with pytest.raises(QuestionError) as fault:
        said(group)
    assert fault.value.field == "group"

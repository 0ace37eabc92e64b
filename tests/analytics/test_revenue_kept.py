"""Revenue retention against a plain sum customer by customer, and every number against the list that it opens."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from analytics.beginning import beginning
from analytics.behind import customers_behind
from analytics.metrics import figures
from analytics.revenue_kept import GROUPS, RevenueKept, compared_period, revenue_kept
from analytics.scope import Scope
from clm.lib.periods import days, preset
from customers.models import Profile, Role, Touchpoint, TouchpointType
from tests.factories import day, make_customer, make_order, make_refund
from tests.lifecycle.making import installed, settle, tell

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


def scope(start: str, until: str, **more: object) -> Scope:
    return Scope(days(start=day(start).date(), until=day(until).date(), zone="UTC"), NOW, **more)  # type: ignore[arg-type]


def plain(start: datetime, until: datetime) -> dict[int, int]:
    roles = dict(TouchpointType.objects.values_list("pk", "role"))
    owner = dict(Profile.objects.values_list("pk", "customer"))
    spent: dict[int, int] = defaultdict(int)
    for one in Touchpoint.objects.filter(occurred_at__gte=start, occurred_at__lt=until):
        if roles[one.type_id] in (Role.PURCHASE, Role.REFUND):
            spent[owner[one.profile_id]] += one.amount or 0
    return spent


def test_money_that_is_spent_again_is_what_counting_everybody_gives() -> None:
    installed(time_zone="UTC")
    chance, start = random.Random(3), day("2024-01-01")
    for person in range(40):
        for _order in range(chance.randint(1, 6)):
            at = start + timedelta(hours=chance.randint(0, 24 * 365))
            made = make_refund if chance.random() < 0.25 else make_order
            tell(made(f"p{person}", at, chance.choice((500, 1_000, 2_000)) * (-1 if made is make_refund else 1)))
    settle()
    for first, until in (("2024-03-01", "2024-04-01"), ("2024-07-01", "2025-01-01"), ("2024-02-10", "2024-03-11")):
        asked = scope(first, until)
        found, before = revenue_kept(scope=asked, since=beginning(scope=asked)), asked.period.previous()
        then, now = plain(before.start_at, before.until_at), plain(asked.period.start_at, asked.period.until_at)
        spenders = {who: spent for who, spent in then.items() if spent > 0}
        assert (found.spenders, found.before) == (len(spenders), sum(spenders.values()))
        assert found.held == sum(min(spent, max(now.get(who, 0), 0)) for who, spent in spenders.items())
        assert found.now == sum(now.get(who, 0) for who in spenders)
        assert found.gross is None or 0 <= found.gross <= 1
        for group in GROUPS:
            assert len(customers_behind(scope=asked, group=group)) == getattr(found, group)


def test_growth_counts_in_net_and_not_in_gross() -> None:
    installed(time_zone="UTC")
    for person, then, now in (("a", 100, 300), ("b", 100, 40), ("c", 100, 0), ("d", 100, 100)):
        tell(make_order(person, "2024-01-10", then))
        if now:
            tell(make_order(person, "2024-02-10", now))
    tell(make_order("new", "2024-02-10", 1_000), make_order("old", "2023-12-30", 1))
    settle()
    found = revenue_kept(scope=scope("2024-02-01", "2024-03-01"), since=None)
    assert (found.gross, found.net) == (Fraction(240, 400), Fraction(440, 400))
    assert (found.lost, found.shrunk, found.grown) == (100, 60, 200)
    assert (found.spent_nothing, found.spent_less, found.spent_as_much, found.spent_more) == (1, 1, 1, 1)
    values = {one.key: one.value for one in figures(scope=scope("2024-02-01", "2024-03-01"))}
    assert (values["gross_revenue_retention"], values["net_revenue_retention"]) == (0.6, 1.1)


def test_a_period_that_lacks_the_rest_of_today_is_moved_back_by_a_day() -> None:
    installed(time_zone="UTC")
    asked = Scope(preset(key="30d", now=NOW, zone="UTC"), NOW)
    told = compared_period(asked).period
    assert (told.start, told.until) == (asked.period.start - timedelta(days=1), asked.period.until - timedelta(days=1))
    over = scope("2024-02-01", "2024-03-01")
    assert compared_period(over) is over


def test_nobody_who_spent_is_no_rate() -> None:
    installed(time_zone="UTC")
    make_customer()
    found = revenue_kept(scope=scope("2024-02-01", "2024-03-01"), since=None)
    assert found == RevenueKept(found.scope) and found.gross is None and found.net is None
    told = {one.key: one for one in figures(scope=scope("2024-02-01", "2024-03-01"))}
    assert told["gross_revenue_retention"].value is None and told["gross_revenue_retention"].note
    assert told["churn_of_everybody"].value is None and told["churn_of_everybody"].note


def test_a_period_before_the_records_gives_no_rate_and_says_when_they_begin() -> None:
    installed(time_zone="UTC")
    tell(make_order("a", "2024-01-25", 100), make_order("a", "2024-02-10", 900))
    settle()
    asked = scope("2024-02-01", "2024-03-01")
    found = revenue_kept(scope=asked, since=beginning(scope=asked))
    assert (found.before, found.now, found.gross, found.net) == (100, 900, None, None)
    told = {one.key: one for one in figures(scope=asked)}
    for key in ("gross_revenue_retention", "net_revenue_retention"):
        assert told[key].value is None and "Records begin on 25 Jan 2024" in told[key].note
    later = scope("2024-02-20", "2024-02-25")  # what it is compared with is recorded
    assert revenue_kept(scope=later, since=beginning(scope=later)).begin is None

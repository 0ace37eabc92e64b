"""The simulator knows over which ways its people came and what each way cost: attribution finds both again."""

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from analytics.acquisition import acquisition
from analytics.acquisition_asked import Asked
from analytics.attributed import Attribution
from analytics.attribution.declared import MODELS
from analytics.days.acquisition import keep_acquisition
from analytics.models import Broken
from analytics.scope import Scope
from clm.lib.periods import days
from customers import catalogue
from lifecycle.install import install

from .simulated import END, NOW, START, P, run

pytestmark = pytest.mark.django_db
PEOPLE = 3_000


@pytest.fixture(scope="module")
def whole(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scope]:
    """The question about all of the simulated time."""
    with django_db_blocker.unblock(), transaction.atomic():
        install(now=NOW)
        run(PEOPLE)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_touchpoint, customers_profile")
        keep_acquisition(known_at=NOW)
        assert not Broken.objects.exists()
        connection.check_constraints()
        period = days(start=START.date(), until=END.date(), zone="UTC")
        yield Scope(period=period, as_of=END - timedelta(milliseconds=1))
        transaction.set_rollback(True)
    catalogue.forget()


def test_the_first_touch_finds_the_ways_again(whole: Scope) -> None:
    found = acquisition(scope=whole, asked=Asked(Attribution("first", 90)))
    # Who came by an ad visits in a known share of cases, who came otherwise always does.
    weight = {way.channel: way.share * (P.visit_share if way.is_paid else 1) for way in P.ways}
    by = {row.key: row for row in found.channels}
    buyers = sum(by[way.channel].credit.customers for way in P.ways)
    assert buyers > 500 and found.unallocated.customers == 0
    for way in P.ways:
        share = weight[way.channel] / sum(weight.values())
        error = math.sqrt(share * (1 - share) / buyers)
        assert abs(by[way.channel].credit.customers / buyers - share) <= 4 * error, way.channel
        if way.is_paid:
            # Spend is known to the cent: so is what a credited customer cost.
            cost = PEOPLE * way.share * way.cost * 100
            assert float(by[way.channel].paid.number or 0) == pytest.approx(
                cost / by[way.channel].credit.customers, rel=1e-6
            )


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_model_shares_out_the_same_customers(whole: Scope, model: str) -> None:
    found = acquisition(scope=whole, asked=Asked(Attribution(model, 30)))
    credits = [row.credit for row in found.channels] + [found.unallocated]
    assert sum(one.conversions for one in credits) == found.customers * 1_000_000
    assert sum(one.revenue for one in credits) == found.total.revenue
    # Letters are clicked by few: whatever the model, most is credited to the ways people came by, and direct visits.
    most = sorted(found.channels, key=lambda row: -row.credit.conversions)[:5]
    assert {row.key for row in most} <= {way.channel for way in P.ways}

"""Cohort tables of nobody, and of somebody who has only begun."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.cohorts import Asked, cohort_table
from analytics.scope import Scope
from analytics.sorting import segment
from clm.lib.periods import preset
from tests.factories import make_order
from tests.lifecycle.making import installed, settle, tell

pytestmark = pytest.mark.django_db
AS_OF = datetime(2025, 3, 31, 22, 30, tzinfo=UTC)


def scope(**more: Any) -> Scope:
    return Scope(preset(key="30d", now=AS_OF, zone="UTC"), AS_OF, **more)


def test_nobody_is_never_an_error() -> None:
    installed()
    table = cohort_table(scope=scope(), asked=Asked())
    assert {one.size for one in table.cohorts} == {0}
    assert {one.share(0) for one in table.cohorts} == {None}
    assert {one.share for one in table.pooled} == {None}


def test_one_customer_of_today_counts_in_no_rate() -> None:
    installed(time_zone="UTC")
    tell(make_order("anna", AS_OF - timedelta(hours=1)))
    settle()
    table = cohort_table(scope=scope(), asked=Asked("purchase", "day"))
    assert (table.cohorts[-1].size, table.cohorts[-1].cells[0].is_complete) == (1, False)
    assert table.pooled[0].size == 0
    assert cohort_table(scope=scope(segment=segment("active_customer")), asked=Asked()).cohorts[-1].size == 1

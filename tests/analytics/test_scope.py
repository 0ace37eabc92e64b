"""What is asked, parsed once: periods to the millisecond in any zone, comparisons, and faults field by field."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.days.kept import Kept
from analytics.scope import Parsed, Scope, parse_scope
from clm.lib.periods import days, preset
from customers.models import Installation
from tests.lifecycle.making import installed

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)


def parsed(zone: str = "Europe/London", is_page: bool = True, **given: str) -> Parsed:
    named = {"from" if name == "start" else name: value for name, value in given.items()}
    return parse_scope(named, now=NOW, counted=Kept(zone, {}), may_be_remembered=is_page)


def test_nothing_asked_is_the_last_thirty_days_as_of_now() -> None:
    found = parsed()
    assert found.errors == {}
    assert found.as_of_day is None
    assert found.scope == Scope(preset(key="30d", now=NOW, zone="Europe/London"), NOW)
    assert not found.scope.is_over


@pytest.mark.parametrize(
    ("zone", "start", "hours"),
    [
        ("Europe/London", "2026-03-29", 23),  # the clock jumps on
        ("Europe/London", "2025-10-26", 25),
        ("Europe/London", "2024-02-29", 24),
        ("Pacific/Kiritimati", "2025-12-31", 24),  # UTC+14
        ("Pacific/Pago_Pago", "2025-12-31", 24),  # UTC-11
    ],
)
def test_a_day_of_ones_own_is_half_open_in_its_zone(zone: str, start: str, hours: int) -> None:
    until = (date.fromisoformat(start) + timedelta(days=1)).isoformat()
    scope = parsed(zone, start=start, until=until).scope
    assert scope.until_at - scope.period.start_at == timedelta(hours=hours)
    assert scope.period.start_at.astimezone(scope.period.start_at.tzinfo) == scope.period.start_at
    assert scope.end_at == scope.period.until_at - timedelta(milliseconds=1)
    assert scope.is_over


@pytest.mark.parametrize("is_page", [True, False])
@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("Europe/London", "2026-03-01", datetime(2026, 3, 1, 23, 59, 59, 999000, tzinfo=UTC)),
        ("Europe/London", "2026-03-29", datetime(2026, 3, 29, 22, 59, 59, 999000, tzinfo=UTC)),  # a day of 23 hours
        ("Pacific/Kiritimati", "2026-03-01", datetime(2026, 3, 1, 9, 59, 59, 999000, tzinfo=UTC)),  # UTC+14
        ("Pacific/Pago_Pago", "2026-03-01", datetime(2026, 3, 2, 10, 59, 59, 999000, tzinfo=UTC)),  # UTC-11
        ("Europe/London", "2026-03-30", NOW),  # today is known up to now
        ("Europe/London", "2026-03-01T00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),  # an instant stays one
    ],
)
def test_a_day_is_meant_up_to_its_end_by_pages_and_programs(is_page: bool, zone: str, day: str, end: datetime) -> None:
    assert parsed(zone, is_page, as_of=day).scope.as_of == end


@pytest.mark.parametrize(
    ("zone", "start", "until", "before"),
    [
        ("UTC", "2024-02-01", "2024-03-01", ("2023-02-01", "2023-03-01")),
        ("UTC", "2024-02-29", "2024-03-01", ("2023-02-28", "2023-03-01")),
        ("UTC", "2024-02-28", "2024-02-29", ("2023-02-28", "2023-03-01")),
        ("UTC", "2023-02-01", "2023-03-01", ("2022-02-01", "2022-03-01")),
        ("UTC", "2025-12-31", "2026-01-01", ("2024-12-31", "2025-01-01")),
        ("Pacific/Kiritimati", "2025-12-31", "2026-01-02", ("2024-12-31", "2025-01-02")),
    ],
)
def test_the_same_days_a_year_before(zone: str, start: str, until: str, before: tuple[str, str]) -> None:
    scope = parsed(zone, start=start, until=until, compare="year").scope
    other = scope.compared_with()
    assert other is not None
    assert other.period.asked() == before
    assert other.until_at == other.period.until_at


def test_what_is_compared_is_cut_as_short_as_an_unfinished_period() -> None:
    scope = parsed(start="2026-03-01", until="2026-04-01").scope
    previous = scope.compared_with()
    assert previous is not None
    assert previous.period.asked() == ("2026-02-01", "2026-03-01")
    assert previous.period.until_at - previous.until_at == scope.period.until_at - scope.until_at
    assert parsed(compare="none").scope.compared_with() is None


def test_every_fault_is_told_with_its_field_and_the_rest_stays() -> None:
    found = parsed(start="2026-13-01", until="soon", lines="some", compare="never")
    assert list(found.errors) == ["from", "until", "compare", "lines"]
    assert found.scope.period.key == "30d"
    kept = parsed(start="2026-02-02", until="2026-02-01", lines="products", as_of="2026-03-01")
    assert list(kept.errors) == ["until"]
    assert (kept.scope.products_only, kept.as_of_day) == (True, date(2026, 3, 1))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"period": "30d", "start": "2026-01-01"}, "period"),
        ({"period": "2d"}, "period"),
        ({"start": "2026-04-01", "until": "2026-05-01"}, "from"),
        ({"start": "2026-02-01", "until": "2026-03-01", "as_of": "2026-01-01"}, "as_of"),
        ({"as_of": "2027-01-01"}, "as_of"),
    ],
)
def test_what_contradicts_itself_is_a_fault_of_a_field(given: dict[str, str], field: str) -> None:
    found = parsed("Europe/London", True, **given)
    assert list(found.errors) == [field]
    assert found.scope.period.start_at <= found.scope.as_of


@pytest.mark.django_db
def test_names_that_are_not_there_are_faults_of_their_fields() -> None:
    installed(currency="GBP")
    found = parsed(segment="nobody", model="eight", currency="XTS")
    assert list(found.errors) == ["segment", "model", "currency"]
    right = parsed(segment="active_customer", model="five", currency=Installation.current().currency)
    assert right.errors == {}
    assert right.scope.segment is not None and right.scope.segment.key == "active_customer"
    assert right.scope.model is not None and right.scope.model.key == "five"
    assert "segment=active_customer" in right.scope.query()


def test_a_scope_that_is_asked_again_is_the_same() -> None:
    scope = parsed(start="2026-01-01", until="2026-02-01", lines="products").scope
    again = dict(pair.split("=") for pair in scope.query().split("&"))
    again["start"] = again.pop("from")
    assert parsed("Europe/London", True, **again).scope == scope
    whole = days(start=date(2026, 1, 1), until=date(2026, 2, 1), zone="Europe/London")
    assert scope.period == whole

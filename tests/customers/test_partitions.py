"""Raw bodies lie in weekly partitions, made ahead and dropped when 30 days old; none is lost for want of one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from customers.models import RawBody
from customers.partitions import turn_partitions, week_start

pytestmark = pytest.mark.django_db

WEDNESDAY = datetime(2031, 3, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_bodies(db: None) -> None:
    """Tests that commit empty the tables of managed models afterwards; raw bodies, in partitions, stay behind."""
    RawBody.objects.all().delete()


def store(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO customers_rawbody VALUES (%s, 1, %s, 'x')", [at, uuid4()])


def where() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM customers_rawbody ORDER BY received_at")
        return [name for (name,) in cursor.fetchall()]


def test_a_week_starts_on_monday_utc() -> None:
    assert week_start(WEDNESDAY) == datetime(2031, 3, 3, tzinfo=UTC)
    assert week_start(datetime(2031, 3, 3, tzinfo=UTC)) == datetime(2031, 3, 3, tzinfo=UTC)
    assert week_start(datetime(2031, 3, 2, 23, 59, tzinfo=UTC)) == datetime(2031, 2, 24, tzinfo=UTC)


def test_this_week_and_the_next_two_are_made_once() -> None:
    made, dropped = turn_partitions(now=WEDNESDAY)
    assert made == [f"customers_rawbody_203103{day:02}" for day in (3, 10, 17)]
    assert dropped == []
    assert turn_partitions(now=WEDNESDAY + timedelta(days=1)) == ([], [])
    store(WEDNESDAY)
    assert where() == ["customers_rawbody_20310303"]


def test_what_waited_without_a_partition_moves_into_its_week() -> None:
    store(WEDNESDAY)
    store(WEDNESDAY + timedelta(days=100))
    assert where() == ["customers_rawbody_other"] * 2
    turn_partitions(now=WEDNESDAY)
    assert where() == ["customers_rawbody_20310303", "customers_rawbody_other"]
    assert RawBody.objects.count() == 2


def test_whole_weeks_beyond_thirty_days_are_dropped_and_nothing_younger() -> None:
    turn_partitions(now=WEDNESDAY)
    for days in (0, 5, 12):
        store(WEDNESDAY + timedelta(days=days))
    store(WEDNESDAY - timedelta(days=40))  # in no week's partition
    # The week of the 3rd ends on the 10th: its last body is thirty days old on April 9th.
    _made, dropped = turn_partitions(now=datetime(2031, 4, 8, 23, tzinfo=UTC))
    assert dropped == []
    assert len(where()) == 3
    _made, dropped = turn_partitions(now=datetime(2031, 4, 9, 1, tzinfo=UTC))
    assert dropped == ["customers_rawbody_20310303"]
    assert where() == ["customers_rawbody_20310310", "customers_rawbody_20310317"]

"""Lists in any order: every customer exactly once, however the pages are cut and whatever changes elsewhere."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.bounded_search import sortable
from analytics.days.declared import LISTED
from analytics.days.kept import Kept
from analytics.listing_order import DEFAULT, KEYS, Order, Place, parse_order, parse_place, place_cursor
from analytics.listing_pages import Slice, kept_slice, sorted_slice, walked_slice
from analytics.models import Counting, Listed
from clm.lib.questions import QuestionError
from customers.models import Customer

pytestmark = pytest.mark.django_db

LONG_AGO, LATER = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
ORDERS = [Order(key, descending) for key in ("name", "last_seen", "orders", "revenue") for descending in (True, False)]
Read = Callable[[Place | None, bool], Slice]

person = st.tuples(
    st.booleans(),  # anonymous
    st.sampled_from(["", "", "Ann", "ann", "Bo", "Zoë", "Åse", "b" * 60]),
    st.integers(0, 3),  # last seen, orders and revenue: few values, many ties
)


def make(people: list[tuple[bool, str, int]]) -> list[int]:
    """Customers and what is kept of them."""
    made = Customer.objects.bulk_create(
        [
            Customer(name="" if anonymous else name, is_anonymous=anonymous, portrayed_at=LONG_AGO)
            for anonymous, name, _key in people
        ]
    )
    Listed.objects.bulk_create(
        [
            Listed(customer=one, is_anonymous=one.is_anonymous, last_seen=key, orders=key, revenue=-key)
            for one, (_anonymous, _name, key) in zip(made, people, strict=True)
        ]
    )
    return [one.pk for one in made]


def kept() -> Kept:
    return Kept("UTC", {(LISTED.name, 0): Counting(statistic=LISTED.name, known_at=LATER)})


def walk(order: Order, limit: int) -> Read:
    def read(border: Place | None, backwards: bool) -> Slice:
        return walked_slice(order=order, border=border, backwards=backwards, limit=limit, kept=kept())

    return read


def sort(order: Order, limit: int, monkeypatch: pytest.MonkeyPatch) -> Read:
    # Of so few the keys would be read from touchpoints, of which these customers have none.
    monkeypatch.setattr("analytics.listing_pages.EXACT", -1)

    def read(border: Place | None, backwards: bool) -> Slice:
        rows = sortable(Customer.objects.filter(merged_into=None), most=1000)
        return sorted_slice(rows=rows, order=order, border=border, backwards=backwards, limit=limit, kept=kept())

    return read


def by_kept(order: Order, limit: int) -> Read:
    def read(border: Place | None, backwards: bool) -> Slice:
        everybody = Customer.objects.filter(merged_into=None)
        fresh = list(everybody.filter(portrayed_at__gte=LATER).values_list("pk", flat=True))
        return kept_slice(
            found=everybody, size=7, order=order, border=border, backwards=backwards, limit=limit, fresh=fresh
        )

    return read


def ways(order: Order) -> list[str]:
    """Names are not kept beside the other keys: the customers have them."""
    return ["walked", "sorted"] if order.key == "name" else ["walked", "sorted", "kept"]


def reading(way: str, order: Order, limit: int, monkeypatch: pytest.MonkeyPatch) -> Read:
    if way == "kept":
        return by_kept(order, limit)
    return walk(order, limit) if way == "walked" else sort(order, limit, monkeypatch)


WAYS = [(order, way) for order in ORDERS for way in ways(order)]
WAY_NAMES = [f"{order.asked}-{way}" for order, way in WAYS]


def followed(read: Read, between: Callable[[], None] = lambda: None) -> list[Place]:
    """All places, page by page."""
    found, border = [], None
    while True:
        page = read(border, False)
        found += page.places
        if not page.more:
            return found
        border = page.places[-1]
        between()


def came_back(read: Read, last: Place) -> list[Place]:
    """All places before the last one, page by page from the end, in their order."""
    found: list[Place] = []
    border = last
    while True:
        page = read(border, True)
        found = page.places + found
        if not page.more:
            return found
        border = page.places[0]


@pytest.mark.lasting("figures")
@pytest.mark.parametrize(("order", "way"), WAYS, ids=WAY_NAMES)
def test_every_customer_is_on_exactly_one_page(order: Order, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @settings(max_examples=15)
    @given(people=st.lists(person, max_size=12), limit=st.integers(1, 5))
    def holds(people: list[tuple[bool, str, int]], limit: int) -> None:
        with transaction.atomic():
            ids = make(people)
            read = reading(way, order, limit, monkeypatch)
            found = followed(read)
            assert sorted(place.id for place in found) == ids
            assert [place.part for place in found] == sorted(place.part for place in found)
            keys = [(place.key, place.id) for place in found if place.part == 0]
            assert keys == sorted(keys, reverse=order.descending) or order.key == "name"
            if found:
                assert came_back(read, found[-1]) == found[:-1]
            transaction.set_rollback(True)

    holds()


@pytest.mark.lasting("figures")
@pytest.mark.parametrize(("order", "way"), WAYS, ids=WAY_NAMES)
def test_whoever_stays_is_listed_once_while_others_come_go_and_change(
    order: Order, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @settings(max_examples=10)
    @given(
        people=st.lists(person, min_size=1, max_size=12),
        others=st.lists(person, min_size=3, max_size=6),
        limit=st.integers(1, 4),
    )
    def holds(people: list[tuple[bool, str, int]], others: list[tuple[bool, str, int]], limit: int) -> None:
        with transaction.atomic():
            stay, restless = make(people), make(others)

            def between() -> None:
                Listed.objects.filter(pk=restless[0]).update(last_seen=9, orders=9, revenue=9)
                Customer.objects.filter(pk=restless[0], is_anonymous=False).update(name="Quick")
                Customer.objects.filter(pk=restless[1]).update(merged_into=restless[2])
                make(others[:1])

            read = reading(way, order, limit, monkeypatch)
            rounds = iter(range(6))  # whoever keeps on adding customers never comes to an end
            found = followed(read, lambda: between() if next(rounds, None) is not None else None)
            assert sorted(place.id for place in found if place.id in stay) == stay
            transaction.set_rollback(True)

    holds()


@settings(max_examples=15)
@given(people=st.lists(person, max_size=8), fresh=st.lists(person, max_size=5), limit=st.integers(1, 4))
def _new_ones(people: list[tuple[bool, str, int]], fresh: list[tuple[bool, str, int]], limit: int) -> None:
    with transaction.atomic():
        ids = make(people)
        # Nothing is kept of these yet, and they have no touchpoints: last seen never.
        new = Customer.objects.bulk_create(
            [Customer(name=name, is_anonymous=anonymous, portrayed_at=LATER) for anonymous, name, _key in fresh]
        )
        for read in (walk(DEFAULT, limit), by_kept(DEFAULT, limit)):
            found = followed(read)
            assert sorted(place.id for place in found) == sorted([*ids, *(one.pk for one in new)])
            assert found == sorted(found, key=lambda place: (place.part, -int(place.key), -place.id))
        transaction.set_rollback(True)


def test_whoever_is_new_since_the_last_count_has_a_place_already() -> None:
    _new_ones()


def test_more_new_ones_than_can_be_looked_at_wait_for_the_next_count(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = make([(False, "Ann", 1)])
    Customer.objects.create(name="Bo", portrayed_at=LATER + timedelta(seconds=1))
    assert len(followed(walk(DEFAULT, 5))) == 2
    monkeypatch.setattr("analytics.listing_pages.FRESH", 0)
    assert [place.id for place in followed(walk(DEFAULT, 5))] == ids


@pytest.mark.parametrize("text", ["", "-", "height", "--name", "created", "name ", "-last_seen,name"])
def test_an_order_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(QuestionError) as refused:
        parse_order(text)
    assert refused.value.field == "sort"


@pytest.mark.parametrize("key", [key for key in KEYS if key != "created"])
def test_a_cursor_carries_a_place_and_its_order(key: str) -> None:
    order = Order(key, True)
    place = Place(2, "Zoë: a, b %" if key == "name" else -7, 2**62)
    assert parse_place(place_cursor("n", place, 51, order), order) == ("n", place, 51)
    with pytest.raises(QuestionError):
        parse_place(place_cursor("n", place, 51, order), Order(key, False))

"""A list of the customers behind a number: everyone exactly once, however its pages are cut and whoever is left out."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.listing_behind import Behind
from analytics.listing_order import Place
from customers.models import Customer

pytestmark = pytest.mark.django_db


def behind(ids: list[int]) -> Behind:
    return Behind(ids=np.array(sorted(ids), np.int64), found=Customer.objects.filter(merged_into=None))


@settings(max_examples=15, deadline=None)
@given(
    people=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40),
    limit=st.integers(1, 3),
    most=st.integers(0, 12),
)
def test_pages_hold_everybody_once_in_either_direction(people: list[tuple[bool, bool]], limit: int, most: int) -> None:
    survivor = Customer.objects.create()
    made = Customer.objects.bulk_create(
        [Customer(merged_into=survivor if is_merged else None) for is_merged, _is_behind in people]
    )
    ids = [one.pk for one, (_is_merged, is_behind) in zip(made, people, strict=True) if is_behind]
    expected = sorted(
        (one.pk for one, (is_merged, is_behind) in zip(made, people, strict=True) if is_behind and not is_merged),
        reverse=True,
    )
    found = behind(ids)
    for backwards in (False, True):
        read: list[int] = []
        border = None
        while page := found.newest(limit=limit, border=border, backwards=backwards):
            assert len(page) == limit or len(read) + len(page) == len(expected)
            read += page
            border = Place(0, 0, page[-1])
        assert read == (expected[::-1] if backwards else expected)
    assert found.count(most=most) == min(len(expected), most + 1)
    assert set(found.everybody.values_list("pk", flat=True)) == set(expected)


def test_that_they_are_too_many_to_count_is_remembered_and_their_number_is_not() -> None:
    ids = [Customer.objects.create().pk for _person in range(5)]

    def counts(of: str | None, most: int) -> tuple[int, int]:
        found = Behind(ids=np.array(ids, np.int64), found=Customer.objects.filter(merged_into=None), of=of)
        with CaptureQueriesContext(connection) as statements:
            number = found.count(most=most)
        return number, sum('FROM "customers_customer"' in one["sql"] for one in statements.captured_queries)

    assert [counts("one", 3), counts("one", 3)] == [(4, 1), (4, 0)]
    assert [counts("two", 3), counts(None, 3)] == [(4, 1), (4, 1)]
    assert [counts("one", 5), counts("one", 5)] == [(5, 1), (5, 1)]
    Customer.objects.filter(pk__in=ids[:3]).update(merged_into=ids[4])
    assert [counts("three", 3), counts("three", 3)] == [(2, 2), (2, 2)]  # in two portions

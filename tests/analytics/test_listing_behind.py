"""A list of the customers behind a number: everyone exactly once, however its pages are cut and whoever is left out."""

import numpy as np
import pytest
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

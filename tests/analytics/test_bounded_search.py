"""Searches are read in bounded steps and find the same people in the same order as one plain query would."""

import pytest

from analytics.bounded_search import Matching, fenced
from analytics.customer_list import Asked, Size, customers
from analytics.days.kept import kept
from analytics.listing_order import DEFAULT, Place
from analytics.search import found_customers, searched
from customers.ingest import clock
from customers.models import Customer

pytestmark = pytest.mark.django_db

PEOPLE = ["Ann Li", "Bo Li", "Li Bo", "Ann Bo", "Jo Ek", "Li Wei", "Anna Berg", "Bo Ek", "Ed Wu", "Annika Li", "X"]


@pytest.fixture
def people() -> list[int]:
    made = Customer.objects.bulk_create([Customer(name=name, search_text=name.lower()) for name in PEOPLE * 3])
    return [one.pk for one in made]


@pytest.mark.parametrize("text", ["li", "an li", "bo", "jo wu", "anna", "ek bo", "x", "nobody"])
@pytest.mark.parametrize(("near", "most"), [(1, 2), (3, 100), (1_000, 100)])
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_the_first_of_a_search_are_those_of_the_plain_query(
    text: str, near: int, most: int, limit: int, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.bounded_search.NEAR", near)
    monkeypatch.setattr("analytics.bounded_search.MOST", most)
    found = Customer.objects.filter(merged_into=None).filter(searched(text))
    every = list(found.order_by("-pk").values_list("pk", flat=True))
    assert Matching(found).newest(limit=limit) == every[:limit]
    border = people[len(people) // 2]
    after = [one for one in every if one < border]
    before = [one for one in reversed(every) if one > border]
    place = Place(0, 0, border)
    assert Matching(found).newest(limit=limit, border=place) == after[:limit]
    assert Matching(found).newest(limit=limit, border=place, backwards=True) == before[:limit]
    read = Matching(found)
    if len(read.everybody) <= most:  # what was read once serves every page
        assert read.number == len(every)
        assert read.newest(limit=limit, border=place) == after[:limit]
        assert read.newest(limit=limit, border=place, backwards=True) == before[:limit]
    assert set(fenced(found).values_list("pk", flat=True)) == set(every)


def test_a_common_word_is_not_sorted_in_a_large_installation(
    people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(search="li", kept=kept())
    assert customers(asked=asked, models=[], now=clock(), order=DEFAULT).refused == ""
    monkeypatch.setattr("analytics.bounded_search.LARGE", 1)
    monkeypatch.setattr("analytics.bounded_search.COMMON", 3)
    monkeypatch.setattr("analytics.customer_list.COUNTED_SEARCH", 4)
    assert Matching(Customer.objects.filter(searched("li"))).is_common
    page = customers(asked=asked, models=[], now=clock(), order=DEFAULT, page_size=2, counted=True)
    assert "More than 4 customers match" in page.refused
    assert page.size == Size(4, False)
    rare = customers(asked=Asked(search="jo"), models=[], now=clock(), order=DEFAULT, counted=True)
    assert (rare.refused, rare.size) == ("", Size(3, True))


def test_the_search_of_every_page_reads_in_the_same_steps(people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.bounded_search.NEAR", 1)
    assert [one.known_as for one in found_customers(text="ek bo", most=8)] == ["Bo Ek"] * 3
    assert found_customers(text="jo wu", most=8) == []

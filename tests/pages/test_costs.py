"""How many queries a page costs, however many customers there are."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.pages.conftest import Shop

COSTS = {
    "/": 66,
    "/customers/": 30,
    "/customers/?stage=retention&search=novak": 30,
    "/customers/?falling=1": 41,
    "/customers/{customer}/": 43,
    "/customers/{customer}/timeline/": 10,
    "/metrics/": 30,
    "/movement/": 45,
    "/retention/": 25,
    "/campaigns/": 12,
    "/spend/": 14,
    "/spend/?by=campaign": 12,
    "/search/?search=novak+97": 14,
    "/models/": 12,
    "/models/seven/": 25,
    "/models/seven/versions/1/": 12,
    "/models/seven/examples/": 12,
    "/rules/": 10,
    "/segments/": 16,
    "/segments/active_customer/": 30,
    "/segments/active_customer/list/": 12,
    "/styleguide/": 4,
}


@pytest.mark.parametrize(("path", "most"), COSTS.items())
def test_page_costs_no_more_queries_than_this(path: str, most: int, shop: Shop) -> None:
    client = Client()
    client.force_login(shop.people["viewer"])
    address = path.format(customer=shop.customer("1005").pk)
    assert client.get(address).status_code == 200  # compiled rules are kept per process
    with CaptureQueriesContext(connection) as made:
        client.get(address)
    assert len(made) <= most, "\n".join(query["sql"][:200] for query in made)


def test_a_longer_list_costs_no_more_queries(shop: Shop) -> None:
    client = Client()
    client.force_login(shop.people["viewer"])
    client.get("/customers/")
    with CaptureQueriesContext(connection) as many:
        client.get("/customers/?search=customer")
    with CaptureQueriesContext(connection) as few:
        client.get("/customers/?search=novak")
    # What is all on one page is not counted apart, and a page of fifty rows costs nothing more.
    assert len(few) == len(many)


def test_a_model_nobody_has_is_not_found_on_a_customers_page(shop: Shop) -> None:
    client = Client()
    client.force_login(shop.people["viewer"])
    address = f"/customers/{shop.customer('1005').pk}/"
    assert client.get(f"{address}?model=seven").status_code == 200
    assert client.get(f"{address}?model=nobodys").status_code == 404


def test_the_table_of_stays_shows_the_latest_and_leads_to_all(shop: Shop, monkeypatch: Any) -> None:
    monkeypatch.setattr("analytics.pages.customer.STAYS", 1)
    client = Client()
    client.force_login(shop.people["viewer"])
    address = f"/customers/{shop.customer('1005').pk}/"
    latest, every = client.get(address), client.get(f"{address}?stays=all")
    assert [len(one.spells) for one in latest.context["stays"]] == [1, 1, 1]
    assert all(one.spells[-1].left is None for one in latest.context["stays"])
    left_out = latest.context["stays_before"]
    assert left_out > 0
    assert left_out + 3 == sum(len(one.spells) for one in every.context["stays"])
    assert "not in the table" in latest.content.decode()
    assert "not in the table" not in every.content.decode()

"""Money that waits for an exchange rate, on the pages of a customer and of a source: told as it was sent, and why."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from customers.ingest import clock
from customers.receiving import door, money
from tests.lifecycle.making import customer_of, settle
from tests.receiving.sending import Sender, track


@pytest.fixture
def orders(browsers: dict[str, Client]) -> Iterator[None]:
    """u1 ordered in a currency without a rate, u2 in the reporting currency, u3 in none that there is."""
    door.forget()
    money.forget()
    at = (clock() - timedelta(days=2)).isoformat()
    sender = Sender()
    for number, currency in (("1", "USD"), ("2", "EUR"), ("3", "Taler")):
        told = {"order_id": f"o{number}", "total": 50.5, "currency": currency}
        sender.batch(track(number, "Order Completed", user=f"u{number}", properties=told, timestamp=at))
    settle()
    yield
    door.forget()
    money.forget()


def test_a_customers_page_shows_it_as_it_was_sent_and_says_that_no_sum_counts_it(
    orders: None, browsers: dict[str, Client]
) -> None:
    viewer = browsers["viewer"]
    page = viewer.get(f"/customers/{customer_of('u1')}/").content.decode()
    row = page[page.index('class="entry role-purchase') :]
    row = row[: row.index("</li>")]
    assert '<div class="amount">US$50.50</div>' in row
    assert 'href="/rates/missing/"' in row
    assert "no USD rate" in row
    assert "1 touchpoint carries money in a currency without an exchange rate" in page
    page = viewer.get(f"/customers/{customer_of('u3')}/").content.decode()
    assert "no known currency" in page
    # The money of others is not told on this one's page.
    page = viewer.get(f"/customers/{customer_of('u2')}/").content.decode()
    assert "rates/missing" not in page
    assert "€50.50" in page


def test_pages_that_count_new_customers_say_when_somebody_whose_first_order_waits_becomes_one(
    orders: None, browsers: dict[str, Client]
) -> None:
    viewer, said = browsers["viewer"], "first order waits for a rate counts as new on the day of the first order"
    for address in ("/metrics/", "/acquisition/"):
        assert said in viewer.get(address).content.decode(), address
    assert said not in viewer.get("/customers/").content.decode()


def test_the_page_of_a_source_says_why_an_event_is_flagged(orders: None, browsers: dict[str, Client]) -> None:
    page = browsers["admin"].get("/sources/web-shop/").content.decode()
    assert page.count("no exchange rate was known") == 2


def test_whoever_may_enter_no_rate_is_told_whom_to_ask(orders: None, browsers: dict[str, Client]) -> None:
    for role in ("marketer", "agent", "viewer"):
        page = browsers[role].get("/rates/missing/").content.decode()
        assert "Rates are entered by administrators." in page, role
        assert 'href="/rates/?currency=USD' not in page, role
    page = browsers["admin"].get("/rates/missing/").content.decode()
    assert "Rates are entered by administrators." not in page
    assert 'href="/rates/?currency=USD' in page


def test_without_rates_it_is_said_that_orders_are_stored_and_spend_is_not(browsers: dict[str, Client]) -> None:
    page = browsers["admin"].get("/rates/").content.decode()
    assert "Orders and other events in another one are stored as they were sent, and wait" in page
    assert "are refused" not in page

"""Mails of acquisition and support speak as their pages do: words, money and times, a row for each item."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from analytics.days.fill import fill
from analytics.reports.blocks import Page, Table
from analytics.reports.views import VIEWS
from analytics.reports.writing import letter_of
from campaigns.spending import enter_spend
from customers.events import Event
from customers.ingest import clock
from customers.models import Installation
from tests.pages.conftest import Shop, db, empty_installation, shop  # noqa: F401 (fixtures)

from .conftest import make_report


@pytest.fixture(scope="module")
def spending(shop: Shop) -> Shop:  # noqa: F811
    for back in range(1, 25):
        day = (shop.now - dt.timedelta(days=back)).date()
        enter_spend(channel="wording", day=day, amount=Decimal(back), now=shop.now)
    fill()
    return shop


@pytest.fixture(scope="module")
def asking(shop: Shop) -> Shop:  # noqa: F811
    """Twenty customers opened a ticket, half of them were answered."""
    events = []
    for n in range(20):
        for name, hours in (("opened", 30 + n), ("replied", 10 + n))[: 1 + n % 2]:
            events.append(
                Event(
                    message_id=f"wording {n} {name}",
                    identities=(("external_id", str(1000 + n)),),
                    type=f"Ticket {name.title()}",
                    channel="email",
                    occurred_at=shop.now - dt.timedelta(hours=hours),
                    properties={"ticket_ref": f"W{n}", "event": name},
                )
            )
    shop.tell(events)
    return shop


def told(view: str, question: str) -> Page:
    with timezone.override(Installation.current().time_zone):
        return VIEWS[view].page(question, now=clock())


def table(page: Page, title: str) -> Table:
    found = next(block.table for block in page.blocks if block.title == title)
    assert found is not None
    return found


@pytest.fixture
def viewer(shop: Shop) -> Client:  # noqa: F811
    client = Client()
    client.force_login(shop.people["viewer"])
    return client


def test_a_mail_of_acquisition_has_a_row_for_each_channel_with_money_as_on_the_page(
    spending: Shop, viewer: Client
) -> None:
    page = told("acquisition", "period=30d&attribution=linear&window=30&lag=1")
    scope = dict(page.scope)
    assert scope["Attribution model"] == "Linear"
    assert scope["Touches within"] == "30 days"
    assert scope["Spend"] == "Spend of a month earlier"
    page = told("acquisition", "period=30d")
    channels = table(page, "By channel")
    assert [one.name for one in channels.columns][:7] == [
        "Channel", "Credit", "Share", "Customers", "First orders", "Spend", "CAC, paid",
    ]  # fmt: skip
    context = viewer.get("/acquisition/?period=30d").context
    names = [row[0].text for row in channels.rows]
    assert names == [*(one["row"].key for one in context["rows"]), "Unallocated", "All"]
    (spent,) = [row[5].text for row in channels.rows if row[0].text == "wording"]
    assert spent.endswith("300.00") and not spent.startswith("3")  # 1 + ... + 24, in money
    assert channels.shown is None
    for block in page.blocks:
        if block.table is not None:
            assert {len(row) for row in block.table.rows} <= {len(block.table.columns)}, block.title
    assert page.cells
    assert "CAC, blended" in {tile.label for tile in page.blocks[0].tiles}


def test_a_mail_of_support_says_times_as_people_do(asking: Shop, viewer: Client) -> None:
    page = told("support", "period=365d")
    context = viewer.get("/support/?period=365d").context
    waits = table(page, "How long customers wait")
    assert [(row[0].text, row[4].text, row[4].note) for row in waits.rows] == [
        (row["title"], *row["median"]) for row in context["waits"]
    ]
    tickets = table(page, "Tickets")
    assert [row[0].text for row in tickets.rows] == [str(label) for label, _one, _url in context["became"]]


@pytest.mark.parametrize("view", ["acquisition", "support"])
def test_no_mail_holds_keys_of_files(view: str, spending: Shop, asking: Shop) -> None:
    report = make_report(pages=[{"view": view, "question": "period=365d"}])
    try:
        letter = letter_of(report=report, due_at=spending.now, now=clock())
    finally:
        report.delete()
    for key in ("cac blended", "touched", "ltv so far : cac", "p90", "minutes, calendar"):
        assert key not in letter.text and key not in letter.html

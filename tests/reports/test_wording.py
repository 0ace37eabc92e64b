"""Mails of acquisition, experience and support speak as their pages do: words, money and times, a row for each item,
pictures, and numbers that lead to the page."""

import datetime as dt
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from analytics.days.fill import fill
from analytics.reports.blocks import Chart, Page, Table, bars
from analytics.reports.pictures import picture
from analytics.reports.views import VIEWS
from analytics.reports.writing import MOST_LINKS, letter_of, pages_of
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
    assert [row[0].text for row in tickets.rows] == [str(label) for label, *_rest in context["became"]]


@pytest.mark.parametrize("view", ["acquisition", "experience", "support"])
def test_no_mail_holds_keys_of_files(view: str, spending: Shop, asking: Shop, answering: Shop) -> None:
    report = make_report(pages=[{"view": view, "question": "period=365d"}])
    try:
        letter = letter_of(report=report, due_at=spending.now, now=clock())
    finally:
        report.delete()
    for key in ("cac blended", "touched", "ltv so far : cac", "p90", "minutes, calendar", "off the scale"):
        assert key not in letter.text and key not in letter.html


@pytest.fixture(scope="module")
def answering(shop: Shop) -> Shop:  # noqa: F811
    """Seventy customers answered how likely they would recommend, over two months."""
    events = [
        Event(
            message_id=f"wording nps {n}",
            identities=(("external_id", str(1000 + n)),),
            type="Survey Answered",
            channel="email",
            occurred_at=shop.now - dt.timedelta(days=1 + n % 2 * 35, hours=n),
            properties={"nps": n % 11},
        )
        for n in range(70)
    ]
    shop.tell(events)
    return shop


def test_a_mail_of_experience_says_scores_as_the_page_does(answering: Shop, viewer: Client) -> None:
    page = told("experience", "period=365d")
    nps = next(one for one in viewer.get("/experience/?period=365d").context["surveys"] if one["kind"].key == "nps")
    block = next(block for block in page.blocks if block.title == str(nps["kind"].name))
    between = f"95% interval {nps['score']['between']}" if nps["score"]["between"] else ""
    assert (block.tiles[0].value, block.tiles[0].note) == (nps["score"]["value"], between)
    assert block.tiles[1].value == str(nps["score"]["answers"])
    months = table(page, f"{nps['kind'].name} month by month")
    assert [(row[1].text, row[2].text) for row in months.rows] == [
        (str(one["answers"]), one["value"]) for one in nps["months"]
    ]
    stages = table(page, f"{nps['kind'].name} by the stage of customers when they answered")
    assert sum(int(row[1].text) for row in stages.rows) == nps["score"]["answers"]


@pytest.mark.parametrize("view", ["acquisition", "experience", "support"])
def test_mails_of_these_pages_have_pictures_of_their_numbers(
    view: str, spending: Shop, asking: Shop, answering: Shop
) -> None:
    page = told(view, "period=365d")
    drawn = [block.chart for block in page.blocks if block.chart is not None]
    assert drawn
    for chart in drawn:
        assert picture(chart).startswith(b"\x89PNG")
        assert chart.description
        if chart.kind == "bars":
            assert all(row["text"] and row["value"] >= 0 for row in chart.payload["bars"])


@pytest.mark.parametrize(
    "payload",
    [
        {"steps": True, "labels": [str(one) for one in range(30)], "lines": [{"name": "a", "values": [1.5] * 30}]},
        {"low": -100, "high": 100, "dots": True, "labels": ["2026-01-01"], "lines": [{"name": "a", "values": [-12]}]},
        {"dots": True, "labels": ["2026-01-01", "2026-02-01"], "lines": [{"name": "a", "values": [None, 3]}]},
    ],
    ids=["steps", "below zero", "a gap"],
)
def test_lines_of_steps_and_of_scores_are_drawn_as_the_page_draws_them(payload: dict[str, Any]) -> None:
    chart = Chart("lines", payload, "Said.")
    assert picture(chart).startswith(b"\x89PNG")
    assert picture(chart) == picture(chart)


def test_nothing_to_compare_is_no_picture() -> None:
    assert bars([], "Nothing.") is None
    assert bars([("a", 0, "0")], "Nothing.") is None
    chart = bars([("a very long name " * 9, 3, "3"), ("b", 0, "0")], "Something.")
    assert chart is not None
    assert picture(chart).startswith(b"\x89PNG")


@pytest.mark.parametrize("view", ["acquisition", "metrics", "support"])
def test_every_number_of_a_mail_leads_to_the_page_with_the_same_scope(view: str, spending: Shop, asking: Shop) -> None:
    report = make_report(pages=[{"view": view, "question": "period=90d&segment=active_customer"}])
    try:
        letter = letter_of(report=report, due_at=spending.now, now=clock())
        with timezone.override(Installation.current().time_zone):
            (page,) = pages_of(report=report, due_at=spending.now, now=clock())
    finally:
        report.delete()
    links = re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>([^<]+)</a>', letter.html)
    leads_to = {unescape(text): unescape(where) for where, text in links}
    numbers = [tile.value for block in page.blocks for tile in block.tiles]
    for block in page.blocks:
        if block.table is not None:
            shown = block.table.rows[: block.table.shown]
            is_large = sum(cell.is_number for row in shown for cell in row) > MOST_LINKS
            numbers += [row[0].text for row in shown if is_large]
            numbers += [cell.text for row in shown for cell in row if cell.is_number and cell.text and not is_large]
    assert numbers
    assert "segment=active_customer" in page.address
    assert {leads_to[number] for number in numbers} == {f"https://clm.example.org{page.address}"}

"""What a page shows is in its address: every filter, period, model, column and day is a link or a form that can be sent
on, followed here by generation from whatever the pages offer."""

import datetime as dt
import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from analytics.models import Export
from tests.pages.conftest import Shop, look

PAGES = [
    "/",
    "/?period=90d&model=cycle&lines=products",
    "/customers/",
    "/customers/?model=five&stage=lapsed&search=novak&columns=stage&columns=orders",
    "/customers/{customer}/",
    "/metrics/",
    "/models/",
    "/movement/?period=90d&model=five",
    "/retention/?unit=week",
    "/models/five/",
    "/rules/",
    "/segments/",
    "/segments/?search=active&kind=rule&order=size",
    "/segments/active_customer/",
    "/segments/active_customer/list/?list=excluded",
    "/search/?search=novak",
]
ANCHOR = re.compile(r'<a\b[^>]*\bhref="([^"]+)"[^>]*>')
OPTION = re.compile(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', re.DOTALL)


def main_of(answer: Any) -> str:
    return re.search(r"<main\b.*?</main>", answer.content.decode(), re.DOTALL)[0]  # type: ignore[index]


def shown(answer: Any) -> str:
    """The words of a page, without the clock and without what only machines read."""
    text = re.sub(r"<(time|script)\b.*?</\1>", "", main_of(answer), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def links(answer: Any, path: str) -> Iterator[str]:
    for href in ANCHOR.findall(main_of(answer)):
        address = html.unescape(href).partition("#")[0]
        if address.startswith("?"):
            yield path.partition("?")[0] + address
        elif address.startswith("/"):
            yield address


@pytest.mark.parametrize("path", PAGES)
def test_every_filter_of_a_page_is_an_address_that_shows_the_same_again(path: str, shop: Shop, viewer: Client) -> None:
    path = path.format(customer=shop.customer("1005").pk)
    here = viewer.get(path)
    assert here.status_code == 200
    assert here.context["unknown"] == []
    filters = {address for address in links(here, path) if urlsplit(address).path == urlsplit(path).path}
    for address in sorted(filters - {path}):
        first = viewer.get(address)
        assert first.status_code == 200, address
        assert first.context["unknown"] == [], address
        assert shown(first) == shown(viewer.get(address)), address
        # Each filter says of itself that it is on, or leads back to where none is.
        changed = dict(parse_qsl(urlsplit(address).query)).items() - dict(parse_qsl(urlsplit(path).query)).items()
        if {key for key, _value in changed} - {"cursor", "at"}:
            assert 'aria-current="true"' in main_of(first), address


def test_no_link_of_any_page_asks_for_what_the_next_page_does_not_know(shop: Shop, viewer: Client) -> None:
    todo = [path.format(customer=shop.customer("1005").pk) for path in PAGES]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        address = todo.pop()
        split = urlsplit(address)
        kind = (re.sub(r"\d+", "0", split.path), frozenset(key for key, _value in parse_qsl(split.query)))
        if kind in seen or split.path.startswith("/api/"):
            continue
        seen.add(kind)
        answer = viewer.get(address)
        assert answer.status_code == 200, address
        if answer.streaming:  # a file
            continue
        assert not answer.context or answer.context.get("unknown", []) == [], address
        if not answer["Content-Type"].startswith("text/html"):
            continue  # a file
        todo += links(answer, address)
    assert len(seen) > 25


def test_what_a_page_does_not_know_is_told_and_not_silently_left_out(shop: Shop, viewer: Client) -> None:
    for path in ("/", "/customers/", "/metrics/", "/models/seven/", "/segments/", "/search/"):
        said = shown(viewer.get(f"{path}?sorting=name&stagee=lapsed"))
        assert "This page does not know “sorting, stagee” in its address" in said, path
        assert "does not know" not in shown(viewer.get(f"{path}?still=1")), path


FIGURES = ("acquisition", "experience", "metrics", "movement", "overview", "retention", "spend", "support", "value")


@pytest.mark.parametrize("file", [*(f"/{one}.csv" for one in FIGURES), "/segments/active_customer/members.csv"])
def test_a_file_refuses_by_name_what_it_does_not_know(file: str, shop: Shop) -> None:
    who = shop.client("marketer")
    assert who.get(file).status_code == 200
    answer = who.get(f"{file}?lines=products&foo=1")
    assert answer.status_code == 400 and "foo: unknown parameter; this file takes" in answer.content.decode()
    assert who.get(f"{file}?still=1&as_of={(shop.now - dt.timedelta(days=9)).date()}").status_code == 200


def test_a_file_that_is_written_down_is_refused_before_it_is(shop: Shop) -> None:
    marketer, before = shop.client("marketer"), Export.objects.count()
    answer = marketer.get("/customers/export/?foo=1")
    assert answer.status_code == 400 and "foo: unknown parameter" in answer.content.decode()
    assert Export.objects.count() == before
    (link,) = re.findall(
        r'href="(/customers/export/[^"]*)"', marketer.get("/customers/?stage=lapsed&foo=1").content.decode()
    )
    assert html.unescape(link) == "/customers/export/?stage=lapsed"


@pytest.mark.parametrize("page", ["/", "/metrics/", "/movement/", "/retention/"])
def test_the_links_of_files_leave_out_what_the_page_does_not_know(page: str, shop: Shop, viewer: Client) -> None:
    text = viewer.get(f"{page}?foo=1&as_of={(shop.now - dt.timedelta(days=9)).date()}").content.decode()
    links = [html.unescape(one) for one in re.findall(r'href="([^"]+)" download', text)]
    assert len(links) == 3, links
    for link in links:
        assert "foo" not in link and "as_of=" in link


@pytest.mark.parametrize(
    "path",
    [
        "/customers/?stage=eight",
        "/customers/?segment=nobody",
        "/campaigns/?state=lost",
    ],
)
def test_a_value_that_a_page_cannot_use_is_refused(path: str, viewer: Client) -> None:
    answer = viewer.get(path)
    assert answer.status_code in (400, 404)
    assert "To the overview" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/?period=2d", "There is no period"),
        ("/?model=eight", "here is no"),
        ("/?lines=some&compare=tomorrow", "all order lines or products only"),
        ("/?lines=some&compare=tomorrow", "choose one of previous, year, none"),
        ("/?segment=nobody", "here is no"),
        ("/?currency=XTS", "the reporting currency"),
        ("/?period=30d&from=2026-01-01", "Ask for one period"),
        ("/?from=2026-02-01&until=2026-01-01", "A period ends after it starts"),
        ("/?from=2150-01-01&until=2150-02-01", "This period lies in the future"),
        ("/?from=someday&until=never", "“someday” is no date"),
        ("/?from=someday&until=never", "“never” is no date"),
        ("/metrics/?as_of=soon", "“soon” is no date"),
        ("/metrics/?basis=hope", "choose one of blended, paid"),
    ],
)
def test_a_page_of_figures_says_what_it_could_not_use_and_shows_the_rest(path: str, said: str, viewer: Client) -> None:
    answer = viewer.get(path)
    assert answer.status_code == 400
    told = shown(answer)
    assert said in told
    assert "Net revenue" in told
    # Everything else is kept by the forms that mend it.
    assert viewer.get("/?model=cycle&lines=products&from=x").context["model"].key == "cycle"


def test_the_day_and_the_lines_chosen_go_along_to_the_next_page(shop: Shop, agent: Page) -> None:
    day = f"{shop.now.date().replace(day=1)}"
    agent.goto(f"{shop.url}/?lines=products&as_of={day}")
    agent.locator(".sidebar").get_by_role("link", name="Metrics").click()
    expect(agent.get_by_role("link", name="Products only")).to_have_attribute("aria-current", "true")
    expect(agent.locator(".as-of-button")).to_contain_text("1 ")
    agent.locator(".sidebar").get_by_role("link", name="Customers").click()
    expect(agent.locator(".card-sentence")).to_contain_text("as of")


def test_forms_change_the_address_and_leave_the_rest_of_it(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/customers/?model=five&still=1")
    agent.get_by_role("button", name="Columns").click()
    agent.get_by_role("checkbox", name="Revenue").uncheck()
    agent.get_by_role("button", name="Show these").click()
    expect(agent.get_by_role("columnheader", name="Revenue")).to_have_count(0)
    agent.get_by_label("Segment", exact=True).select_option(label="Active customer")
    expect(agent).to_have_url(re.compile("segment=active_customer"))
    agent.get_by_role("searchbox", name="Search in this list").fill("novak")
    agent.keyboard.press("Enter")
    expect(agent).to_have_url(re.compile("search=novak"))
    agent.reload()
    expect(agent.get_by_role("searchbox", name="Search in this list")).to_have_value("novak")
    expect(agent.get_by_label("Segment", exact=True)).to_have_value("active_customer")
    expect(agent.get_by_role("columnheader", name="Revenue")).to_have_count(0)
    assert "model=five" in agent.url

    agent.goto(f"{shop.url}/?model=cycle")
    agent.get_by_role("button", name="As of now").click()
    agent.get_by_label("As of: date").fill(f"{shop.now.date().replace(day=1)}")
    agent.get_by_role("button", name="Show").click()
    expect(agent.get_by_role("button", name="choose other dates")).to_be_visible()
    assert "model=cycle" in agent.url
    agent.get_by_role("button", name="Own period").click()
    agent.get_by_label("From", exact=True).fill("2026-01-01")
    agent.get_by_label("Until, that day not included").fill(f"{shop.now.date().replace(day=1)}")
    agent.locator("#own-period").get_by_role("button", name="Show").click()
    expect(agent.get_by_role("button", name="Own period")).to_have_attribute("aria-current", "true")
    assert "as_of=" in agent.url


def test_the_list_says_where_in_it_one_is(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/customers/?search=customer")
    place = agent.locator(".pager > span").first
    expect(place).to_have_text(re.compile(r"^1–50 of 120$"))
    agent.get_by_role("link", name="Next").click()
    expect(place).to_have_text(re.compile(r"^51–100 of 120$"))
    agent.get_by_role("link", name="Next").click()
    expect(place).to_have_text(re.compile(r"^101–120 of 120$"))
    agent.get_by_role("link", name="Previous").click()
    expect(place).to_have_text(re.compile(r"^51–100 of 120$"))

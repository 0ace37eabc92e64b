"""The list of customers and its forms, as somebody meets them who never read how they work."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from customers.events import Event
from customers.ingest import ingest
from customers.models import Cause, Customer
from lifecycle.advance import advance
from tests.pages.conftest import Shop, faults, overflow


@pytest.fixture
def passer_by(shop: Shop) -> Customer:
    """Somebody known by a device alone, seen a moment ago."""
    event = Event(
        message_id="device-1",
        identities=(("anonymous_id", "device-1"),),
        type="Page Viewed",
        channel="web",
        occurred_at=shop.now,
    )
    ingest(source=shop.source, events=[event], cause=Cause.IMPORT)
    while advance().customers:
        pass
    return Customer.objects.get(profiles__identities__value="device-1")


def names(page: Page) -> list[str]:
    return page.locator(".person a").all_inner_texts()


def numbers(page: Page, label: str) -> list[float]:
    cells = page.locator(f"tbody td[data-label='{label}']").all_inner_texts()
    return [float(re.sub(r"[^0-9.-]", "", cell)) for cell in cells]


def test_the_list_opens_with_those_seen_last_and_visitors_at_its_end(
    shop: Shop, passer_by: Customer, agent: Page
) -> None:
    agent.goto(f"{shop.url}/customers/")
    expect(agent.get_by_role("columnheader", name="Last seen")).to_have_attribute("aria-sort", "descending")
    seen = agent.locator("tbody td[data-label='Last seen'] time").evaluate_all("all => all.map(one => one.dateTime)")
    assert seen == sorted(seen, reverse=True)
    assert "device-1" not in names(agent)
    agent.get_by_role("link", name="Anonymous visitors").click()
    expect(agent.locator(".person a")).to_have_text(["device-1"])
    expect(agent.locator(".card-sentence")).to_contain_text("1 customer known by nothing but a device")
    agent.get_by_role("link", name="Known people").click()
    expect(agent.locator(".card-sentence")).to_contain_text("120 customers of whom more is known than a device")


def test_a_head_of_a_column_sorts_by_keyboard_and_says_so(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/customers/?stage=lapsed")
    head = agent.get_by_role("columnheader", name="Revenue")
    head.get_by_role("link").focus()
    agent.keyboard.press("Enter")
    expect(agent).to_have_url(re.compile(r"stage=lapsed.*sort=-revenue"))
    expect(head).to_have_attribute("aria-sort", "descending")
    found = numbers(agent, "Revenue")
    assert found == sorted(found, reverse=True)
    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert numbers(agent, "Revenue") == found[::-1]
    assert faults(agent) == []
    agent.get_by_role("columnheader", name="Customer").get_by_role("link").click()
    expect(agent.get_by_role("columnheader", name="Customer")).to_have_attribute("aria-sort", "ascending")
    assert names(agent) == sorted(names(agent), key=str.lower)


def test_on_a_telephone_the_list_is_sorted_by_a_choice(shop: Shop, agent: Page) -> None:
    agent.set_viewport_size({"width": 390, "height": 800})
    agent.goto(f"{shop.url}/customers/")
    agent.get_by_label("Sort by").select_option("-orders")
    expect(agent).to_have_url(re.compile(r"sort=-orders"))
    found = numbers(agent, "Orders")
    assert found == sorted(found, reverse=True)
    chips = agent.locator(".in-stage .chip-text")
    cut = chips.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)")
    assert cut == []


def test_a_bad_period_says_so_on_the_list_and_keeps_the_rest(shop: Shop, agent: Page, complaints: list[str]) -> None:
    answer = agent.goto(f"{shop.url}/customers/?stage=lapsed&from=2025-05-01&until=2025-04-01&columns=height&sort=size")
    assert answer is not None
    assert answer.status == 400
    alerts = agent.get_by_role("alert").all_inner_texts()
    assert len(alerts) == 3
    assert "A period ends after it starts." in alerts[0]
    assert "shown without it" in alerts[2]
    expect(agent.locator(".card-sentence")).to_contain_text("in Lapsed (Seven stages)")
    assert names(agent)
    complaints.clear()  # Chromium logs the answer 400 as a failed load


def test_a_form_says_all_that_is_wrong_and_leads_to_whoever_has_it(
    shop: Shop, agent: Page, complaints: list[str]
) -> None:
    agent.goto(f"{shop.url}/customers/new/")
    main = agent.locator("main")
    main.get_by_label("Phone").fill("call me")
    main.get_by_label("E-mail").fill("customer3@example.org")
    main.get_by_label("External id").fill("1003")
    agent.get_by_role("button", name="Create customer").click()
    errors = agent.locator(".field.wrong .error")
    expect(errors).to_have_count(3)
    assert faults(agent) == []
    complaints.clear()
    taken = errors.filter(has_text="has this e-mail address already.")
    taken.get_by_role("link", name="Open that customer").click()
    expect(agent.get_by_role("heading", level=1)).to_have_text("Luís Ferreira 3")


def test_an_edit_stands_in_the_head_and_in_the_timeline(shop: Shop, agent: Page, complaints: list[str]) -> None:
    customer = shop.customer("1007")
    agent.goto(f"{shop.url}/customers/{customer.pk}/edit/")
    main = agent.locator("main")
    expect(main.get_by_label("External id")).to_have_value("1007")
    main.get_by_label("E-mail").fill("new@example.org")
    main.get_by_label("Phone").fill("+44 20 7946 0018")
    main.get_by_label("External id").fill("1008")
    agent.get_by_role("button", name="Save").click()
    expect(agent.locator(".field.wrong .error")).to_contain_text("has this id already.")
    complaints.clear()
    main.get_by_label("External id").fill("K-7")
    agent.get_by_role("button", name="Save").click()
    known = agent.get_by_role("list", name="Identities")
    for said in ("e-mail new@example.org", "phone +44 20 7946 0018", "former e-mail customer7@example.org"):
        expect(known).to_contain_text(said)
    expect(known).to_contain_text("former external id 1007")
    changes = agent.locator(".entry.change")
    expect(changes).to_have_count(3)
    expect(changes.filter(has_text="E-mail address changed")).to_contain_text("new@example.org")
    expect(changes.filter(has_text="Telephone number added")).to_be_visible()
    assert faults(agent) == []


def test_the_list_is_taken_away_as_a_file_by_those_who_may(shop: Shop, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("marketer")
    page.goto(f"{shop.url}/customers/?stage=lapsed&sort=name")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV now").click()
    assert re.fullmatch(r"customers-\d{4}-\d\d-\d\dT\d{6}Z\.csv", download.value.suggested_filename)
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == names(page)
    agent = shop.client("agent")
    assert agent.get("/customers/export/").status_code == 403
    assert "Download CSV now" not in agent.get("/customers/").content.decode()


@pytest.mark.parametrize("width", [390, 320])
def test_names_of_stages_are_never_cut_off_on_a_telephone(
    width: int, shop: Shop, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("marketer")
    used = [("1230", 1), ("1230", 6), ("1230", 12)]
    shop.tell(
        [
            shop.order("1230", 4, traits={"name": "Wolfeschlegelsteinhausenbergerdorff Featherstonehaugh"}),
            *(
                Event(
                    message_id=f"used {person} {days}",
                    identities=(("external_id", person),),
                    type="Feature Used",
                    channel="web",
                    occurred_at=shop.now - timedelta(days=days),
                )
                for person, days in used
            ),
        ]
    )
    page.set_viewport_size({"width": width, "height": 844})
    for path in (
        "/segments/active_customer/?search=wolfe",
        "/segments/active_customer/",
        "/customers/?search=wolfe",
        "/customers/?model=cycle",
    ):
        page.goto(f"{shop.url}{path}")
        cut = page.locator(".people .in-stage .chip-text").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
        )
        assert cut == [], path
        assert not overflow(page), path

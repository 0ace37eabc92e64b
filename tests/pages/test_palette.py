"""The search that Ctrl+K opens: by keyboard alone, told to screen readers, and without scripts a page."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Shop, faults, look


def test_control_k_finds_a_customer_by_keyboard_alone(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/")
    agent.keyboard.press("Control+k")
    field = agent.get_by_role("combobox", name="Search customers")
    expect(field).to_be_focused()
    expect(agent.get_by_role("option", name="Overview")).to_have_attribute("aria-selected", "true")
    agent.keyboard.type("novak")
    expect(agent.get_by_role("group", name="Customers").get_by_role("option")).to_have_count(8)
    expect(agent.locator("[data-says-count]")).to_have_text("8 results")
    agent.keyboard.press("ArrowDown")
    second = agent.get_by_role("option").nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(second.get_attribute("id")))
    assert faults(agent) == []
    name = second.locator("b").inner_text()
    agent.keyboard.press("Enter")
    expect(agent.get_by_role("heading", level=1)).to_have_text(name)


def test_enter_waits_for_the_answer_to_what_was_typed(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/")
    agent.keyboard.press("Control+k")
    expect(agent.get_by_role("option").first).to_be_visible()
    agent.keyboard.type("watanabe 97")
    agent.keyboard.press("Enter")
    expect(agent.get_by_role("heading", level=1)).to_have_text("Kenji Watanabe 97")


@pytest.mark.parametrize(
    ("typed", "heading", "address"),
    [
        ("metr", "Metrics", r"/metrics/$"),
        ("five lapsed", "Customers", r"model=five&stage=lapsed"),
        ("customer lifetime", "Metrics", r"/metrics/#metric-clv$"),
        ("active customer segment", "Customers", r"segment=active_customer"),
        ("new cust", "New customer", r"/customers/new/$"),
    ],
)
def test_it_leads_to_pages_stages_segments_figures_and_acts(
    typed: str, heading: str, address: str, shop: Shop, agent: Page
) -> None:
    agent.goto(f"{shop.url}/styleguide/?still=1")
    agent.keyboard.press("Control+k")
    agent.keyboard.type(typed)
    agent.keyboard.press("Enter")
    expect(agent).to_have_url(re.compile(address))
    expect(agent.get_by_role("heading", level=1)).to_contain_text(heading)


def test_it_offers_nothing_that_would_be_refused(shop: Shop, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("viewer")
    page.goto(f"{shop.url}/search/")
    said = page.locator("main").inner_text()
    assert "New customer" not in said
    assert "System" not in said
    assert "Overview" in said


def test_nothing_found_is_told_and_escape_gives_the_focus_back(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/metrics/")
    opener = agent.locator("a.search")
    opener.click()
    agent.keyboard.type("nobody-is-called-so")
    expect(agent.locator(".palette-nothing")).to_be_visible()
    expect(agent.locator("[data-says-count]")).to_have_text("Nothing found")
    inner = agent.locator("#palette").evaluate("one => [one.clientWidth, one.getBoundingClientRect().left + 1]")
    for part in (".palette-head", ".palette-nothing", ".palette-foot"):
        box = agent.locator(f"#palette {part}").bounding_box()
        assert box is not None
        # One below the other, each as wide as the dialog.
        assert [round(box["width"]), round(box["x"])] == [round(one) for one in inner], part
    assert faults(agent) == []
    agent.keyboard.press("Escape")
    expect(agent.locator("#palette")).to_be_hidden()
    expect(opener).to_be_focused()


def test_without_scripts_it_is_a_page(shop: Shop, agent: Page) -> None:
    context = agent.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    context.add_cookies(agent.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{shop.url}/metrics/")
    page.locator("a.search").click()
    page.get_by_role("searchbox").fill("watanabe 97")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"/search/\?search=watanabe"))
    page.get_by_role("link", name="Kenji Watanabe 97").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kenji Watanabe 97")
    context.close()

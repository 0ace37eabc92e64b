"""The parts that later pages are built from, tried on the style guide: by keyboard, told aloud, and found by role and
name."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from analytics.templatetags.stages import plain_names, without_subject
from lifecycle.rules.describe import sentence
from lifecycle.rules.parse import parse_rule
from tests.pages.conftest import Shop, faults, look


@pytest.fixture
def guide(shop: Shop, agent: Page) -> Page:
    look(agent, f"{shop.url}/styleguide/?still=1")
    return agent


def test_tabs_are_walked_by_arrow_keys(guide: Page) -> None:
    words, shell = guide.get_by_role("tab", name="In words"), guide.get_by_role("tab", name="On the terminal")
    expect(guide.get_by_role("tabpanel")).to_have_count(1)
    words.focus()
    guide.keyboard.press("ArrowRight")
    expect(guide.get_by_role("tab", name="JSON")).to_be_focused()
    expect(guide.get_by_role("tabpanel", name="JSON")).to_be_visible()
    guide.keyboard.press("End")
    expect(shell).to_have_attribute("aria-selected", "true")
    guide.keyboard.press("ArrowRight")
    expect(words).to_be_focused()


def test_a_field_offers_what_it_may_hold(guide: Page) -> None:
    field = guide.get_by_role("combobox", name="Type of touchpoint")
    field.fill("order")
    options = guide.get_by_role("listbox", name="Type of touchpoint").get_by_role("option")
    expect(options).to_have_text(["Order Completedpurchase", "Order Refundedrefund"])
    expect(guide.locator("#said")).to_have_text("2 suggestions")
    guide.keyboard.press("ArrowDown")
    guide.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    assert faults(guide) == []
    guide.keyboard.press("Enter")
    expect(field).to_have_value("Order Refunded")
    field.fill("zzz")
    expect(guide.locator("#said")).to_have_text("No suggestion")
    guide.keyboard.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")


def test_tokens_come_and_go_by_keyboard(guide: Page) -> None:
    field = guide.get_by_role("combobox", name="Any of these types")
    held = guide.locator(".tokens .token input")
    field.fill("visit")
    guide.keyboard.press("ArrowDown")
    guide.keyboard.press("Enter")
    expect(guide.locator("#said")).to_have_text("Added: Page Viewed")
    assert held.evaluate_all("all => all.map(one => one.value)") == ["Order Completed", "طلب", "Page Viewed"]
    field.fill("order comp")
    expect(guide.get_by_role("option", name="Order Completed")).to_have_count(0)  # it is there already
    field.fill("")
    guide.keyboard.press("Backspace")
    expect(guide.locator("#said")).to_have_text("Removed: Page Viewed")
    guide.get_by_role("button", name="Remove Order Completed").click()
    assert held.evaluate_all("all => all.map(one => one.value)") == ["طلب"]
    expect(field).to_be_focused()


def test_a_list_is_put_in_order_by_buttons(guide: Page) -> None:
    guide.get_by_role("button", name="Move Onboarding up").click()
    expect(guide.locator("#said")).to_have_text("Onboarding is now number 2 of 4")
    expect(guide.get_by_role("button", name="Move Onboarding up")).to_be_focused()
    guide.keyboard.press("Enter")
    guide.keyboard.press("Enter")  # at the top already
    order = guide.locator(".reorder input").evaluate_all("all => all.map(one => one.value)")
    assert order == ["onboarding", "awareness", "acquisition", "engagement"]


def test_a_confirmation_names_what_will_happen_and_waits_for_its_word(guide: Page) -> None:
    guide.get_by_role("button", name="Publish").click()
    dialog = guide.get_by_role("dialog", name="Publish version 4 of Seven stages?")
    expect(dialog).to_contain_text("1,306 customers change stage")
    button = dialog.get_by_role("button", name="Publish")
    expect(button).to_be_disabled()
    dialog.get_by_label("Type publish to go on").fill("publish")
    expect(button).to_be_enabled()
    assert faults(guide) == []
    guide.keyboard.press("Escape")
    expect(guide.get_by_role("button", name="Publish")).to_be_focused()


def test_a_drawer_opens_and_gives_the_focus_back(guide: Page) -> None:
    opener = guide.get_by_role("button", name="A drawer")
    opener.click()
    drawer = guide.get_by_role("dialog", name="Customers who leave Retention")
    expect(drawer).to_be_visible()
    assert faults(guide) == []
    drawer.get_by_role("button", name="Close").click()
    expect(opener).to_be_focused()


def test_a_file_chosen_is_named_with_its_size(guide: Page) -> None:
    guide.get_by_label("File of orders").set_input_files(
        {"name": "orders.csv", "mimeType": "text/csv", "buffer": b"x" * 1500}
    )
    expect(guide.locator("[data-chosen]")).to_have_text("orders.csv (1.5 kB)")


def test_text_for_machines_is_copied(guide: Page) -> None:
    guide.context.grant_permissions(["clipboard-read", "clipboard-write"])
    guide.get_by_role("tab", name="JSON").click()
    guide.get_by_role("button", name="Copy The rule as JSON").click()
    expect(guide.locator("#said")).to_have_text("Copied")
    assert '"did": {"role": "purchase"}' in guide.evaluate("navigator.clipboard.readText()")


def test_a_job_without_a_known_end_says_so_without_a_number(guide: Page) -> None:
    bars = guide.get_by_role("progressbar")
    expect(bars.nth(0)).to_have_accessible_name("Import of orders.csv")
    assert bars.nth(0).evaluate("bar => Math.round(100 * bar.position)") == 34
    assert bars.nth(1).evaluate("bar => bar.position") == -1


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"all": [{"rule": "alive"}, {"not": {"rule": "ended"}}]}, "Alive and not ended."),
        ({"held": {"rule": "alive"}, "for": "30d"}, "Alive for 30 days without a break."),
        ({"not": {"held": {"rule": "alive"}, "for": "30d"}}, "Not yet alive for 30 days without a break."),
        ({"lately": {"rule": "alive"}, "within": "9d"}, "Alive at some time in the last 9 days."),
    ],
)
def test_where_a_customer_stands_sub_rules_are_called_by_their_bare_names(rule: Any, said: str) -> None:
    named = {"alive": {"did": {}}, "ended": {"did": {"role": "cancel"}}}
    node = parse_rule(rule, lapse_days=180, sub_rules=named)
    assert without_subject(plain_names(sentence(node))) == said

"""Rules are built on pages: with the keyboard alone, and by people who see no screen."""

import json
import re
import time
from typing import Any

import pytest
from django.db.models import Max, Min
from playwright.sync_api import Page, expect

from customers.models import PropertyKey, Touchpoint
from lifecycle.models import Revision, Segment
from lifecycle.previews import work_on_previews
from lifecycle.publications import publish_asked
from tests.pages.conftest import MODES, Shop, SignIn, faults, look, overflow

pytestmark = pytest.mark.usefixtures("nothing_left_drafted")
RULE = {
    "all": [
        {"did": {"role": "purchase"}, "at_least": 2, "within": "365d"},
        {"not": {"held": {"rule": "alive"}, "for": "2w"}},
        {
            "any": [
                {"did": {"role": ["visit", "cart"], "where": [{"property": "total", "gte": 50}]}, "on_days": 3},
                {"spent": {"type": "Order Completed"}, "at_least": "100.00", "within": "90d"},
                {"grew": {"any_activity": True}, "by": "1.25", "within": "L"},
                {"since": {"role": "cart"}, "until": [{"role": "purchase"}, {"channel": "phone"}]},
                {"trait": "plan", "in": ["pro", "team"], "exists": True},
                {"segment": "active_customer"},
                {"stage": ["seven", "retention"]},
                {"lately": {"did": {}}, "within": "12h"},
            ]
        },
    ]
}


def document(page: Page) -> Any:
    return json.loads(page.locator("textarea[name=rule]").input_value())


def reach(page: Page, role: Any, name: str) -> None:
    """Press Tab until that control has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _press in range(250):
        page.keyboard.press("Tab")
        if wanted.count() == 1 and wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{role} “{name}” is not reached by Tab")


def opened(page: Page, shop: Shop, path: str = "/segments/new/") -> Page:
    look(page, f"{shop.url}{path}?still=1")
    expect(page.locator("#builder fieldset").first).to_be_visible()
    return page


def told(page: Page) -> Any:
    return page.locator("#estimate [data-part=count]")


def test_a_segment_is_built_previewed_and_published_by_keyboard_alone(shop: Shop, marketer: Page) -> None:
    page = opened(marketer, shop)
    keys = page.keyboard
    expect(told(page)).not_to_have_text("–")
    reach(page, "textbox", "Name")
    keys.type("Bought 100% lately")
    reach(page, "spinbutton", "Condition 1: how often")
    keys.press("Control+a")
    keys.type("2")
    reach(page, "spinbutton", "Condition 1: within: how long")
    keys.press("Control+a")
    keys.type("365")
    expect(page.locator("#estimate [data-part=sentence]")).to_have_text(
        "The customer has had at least 2 purchases in the last 365 days."
    )
    reach(page, "button", "Add condition Add a condition to: The whole rule")
    keys.press("Enter")
    expect(page.get_by_role("combobox", name="Kind: Condition 2")).to_be_focused()
    expect(page.locator("#said")).to_have_text(re.compile("Condition added.|It holds for"))
    keys.type("not")
    expect(page.get_by_role("group", name="Condition 2.1", exact=True)).to_be_visible()
    expect(page.get_by_role("combobox", name="Kind: Condition 2", exact=True)).to_be_focused()
    reach(page, "combobox", "Kind: Condition 2.1")
    keys.type("meets")
    reach(page, "combobox", "Condition 2.1: Named rule")
    keys.type("ended")
    assert document(page) == {
        "all": [{"did": {"role": "purchase"}, "within": "365d", "at_least": 2}, {"not": {"rule": "ended"}}]
    }
    expect(page.locator("#estimate [data-part=sentence]")).to_contain_text("does not meet “ended”")
    expect(told(page)).to_have_text(re.compile("^[0-9]+$"))
    count = int(told(page).inner_text())
    assert 0 < count < 120
    reach(page, "button", "Preview the change")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/changes/[0-9]+/$"))
    assert faults(page) == []
    assert work_on_previews() >= 1
    expect(page.locator("#effect .badge.good")).to_have_text(re.compile("exact"))
    expect(page.locator(".figures dd").nth(1)).to_have_text(str(count))
    reach(page, "button", "Publish")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faults(page) == []
    reach(page, "button", "Publish now")
    keys.press("Enter")
    expect(page.get_by_text("Going live").first).to_be_visible()
    assert publish_asked() == 1
    expect(page.locator(".page-head .badge")).to_have_text(re.compile("live"))
    segment = Segment.objects.get(name="Bought 100% lately")
    assert segment.key == "bought-100-lately"
    assert segment.live_version_id is not None


def test_every_kind_of_condition_is_shown_and_comes_back_as_it_was(shop: Shop, sign_in: SignIn) -> None:
    page = opened(sign_in("admin"), shop)
    page.get_by_text("The rule as JSON").first.click()
    page.locator("textarea[name=rule]").fill(json.dumps(RULE))
    page.locator("textarea[name=rule]").blur()
    expect(page.get_by_role("group", name="Condition 3.8.1", exact=True)).to_be_visible()
    assert document(page) == RULE
    expect(page.locator("#estimate")).to_have_attribute("data-state", "known")
    for theme, width in MODES:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        assert faults(page) == [], width
        assert not overflow(page), width
    names = page.locator("#builder :is(button, select, input, textarea)").evaluate_all(
        "all => all.filter(one => one.role !== 'option').map(one => one.tagName + ' ' + (one.getAttribute('aria-label')"
        " ?? one.textContent.trim()))"
    )
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    assert all(len(name.split(" ", 1)[1]) > 2 for name in names)


def test_conditions_are_moved_copied_wrapped_and_every_step_is_undone(shop: Shop, marketer: Page) -> None:
    page = opened(marketer, shop)
    one, two = {"did": {"role": "purchase"}, "within": "90d"}, {"did": {"role": "visit"}, "within": "30d"}
    steps = [document(page)]

    def press(name: str, expected: Any) -> None:
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#builder")).to_be_visible()
        assert document(page) == expected, name
        page.wait_for_timeout(30)
        assert page.evaluate("document.getElementById('builder').contains(document.activeElement)"), name
        steps.append(expected)

    press("Add group Add a group to: The whole rule", {"all": [one, {"any": [one, two]}]})
    press("Move down: Condition 1", {"all": [{"any": [one, one, two]}]})
    press("Copy: Condition 1.3", {"all": [{"any": [one, one, two, two]}]})
    press("Move down: Condition 1.4", {"all": [{"any": [one, one, two]}, two]})
    press("Remove: Condition 1.1", {"all": [{"any": [one, two]}, two]})
    press("Put in a group: Condition 2", {"all": [{"any": [one, two]}, {"all": [two]}]})
    press("Take out of its group: Condition 1", {"all": [one, two, {"all": [two]}]})
    press("Remove: Condition 3.1", {"all": [one, two]})
    for expected in reversed(steps[:-1]):
        page.get_by_role("button", name="Undo").click()
        assert document(page) == expected
    for expected in steps[1:]:
        page.get_by_role("button", name="Redo").click()
        assert document(page) == expected


def test_what_is_typed_outlives_a_change_of_its_neighbours(shop: Shop, marketer: Page, complaints: list[str]) -> None:
    page = opened(marketer, shop)
    page.get_by_text("The rule as JSON").first.click()

    def given(rule: Any) -> None:
        page.locator("textarea[name=rule]").fill(json.dumps({"all": [rule]}))
        page.locator("textarea[name=rule]").blur()
        drawn()

    def drawn() -> None:
        # Controls are drawn anew in a task of their own, after the event.
        page.evaluate("() => new Promise(done => setTimeout(() => setTimeout(done)))")

    def chosen(control: str, option: str) -> None:
        page.locator(f'[data-control="{control}"]').select_option(option)
        drawn()

    def typed(control: str, text: str, *keys: str) -> None:
        page.locator(f'[data-control="{control}"]').click()
        for key in ("Control+a", *text, *keys):
            page.keyboard.press(key)

    def shown(control: str) -> str:
        return page.locator(f'[data-control="{control}"]').input_value()

    first = "$.all[0]"
    did = {"did": {"role": "purchase"}}
    for rule, key in (
        ({**did, "within": "90d"}, "within"),
        ({"spent": {"role": "purchase"}, "at_least": "100.00", "within": "90d"}, "within"),
        ({**did, "on_days": 2, "within": "90d"}, "within"),
        ({"grew": {"role": "purchase"}, "by": "1.25", "within": "90d"}, "within"),
        ({"lately": did, "within": "30d"}, "within"),
        ({"held": did, "for": "30d"}, "for"),
    ):
        given(rule)
        typed(f"{first}.{key}|number", "5", "Tab")
        chosen(f"{first}.{key}|unit", "w")
        assert document(page) == {"all": [{**rule, key: "5w"}]}
        assert shown(f"{first}.{key}|number") == "5"
        typed(f"{first}.{key}|number", "7")
        assert document(page) == {"all": [{**rule, key: "7w"}]}

    given({"trait": "country", "exists": True})
    chosen(f"{first}|operator0", "is")
    assert document(page) == {"all": [{"trait": "country", "is": ""}]}
    typed(f"{first}.is", "France", "Tab")
    typed(f"{first}.trait", "plan", "Tab")
    drawn()
    assert document(page) == {"all": [{"trait": "plan", "is": "France"}]}
    assert shown(f"{first}.is") == "France"
    typed(f"{first}.is", "Fr")
    for operator in ("starts_with", "contains", "gte", "is_not", "in", "is"):
        chosen(f"{first}|operator0", operator)
        expected = ["Fr"] if operator == "in" else "Fr"
        assert document(page) == {"all": [{"trait": "plan", operator: expected}]}
        if operator != "in":
            assert shown(f"{first}.{operator}") == "Fr"

    typed(f"{first}.trait", "town")
    page.locator(f'[data-control="{first}|also"]').click(delay=60)  # which takes the focus from what is typed
    drawn()
    assert document(page) == {"all": [{"trait": "town", "is": "Fr", "is_not": ""}]}
    typed(f"{first}.trait", "plan")
    select = page.locator(f'[data-control="{first}|operator0"]').element_handle()
    select.click(delay=60)
    drawn()
    assert select.is_visible(), "the list that was opened is gone"

    given({"did": {"role": "purchase", "where": [{"property": "city", "is": ""}]}})
    test = f"{first}.did.where[0]"
    typed(f"{test}.is", "Rome", "Tab")
    typed(f"{test}.property", "town", "Tab")
    drawn()
    page.locator(f'[data-control="{first}.did.where|more"]').click()
    page.locator(f'[data-control="{first}.did|or"]').click()
    drawn()
    tests = [{"property": "town", "is": "Rome"}, {"property": "", "is": ""}]
    assert document(page) == {"all": [{"did": [{"role": "purchase", "where": tests}, {"role": "visit"}]}]}
    complaints.clear()  # Chromium logs the answers 400 as failed loads


def test_a_trait_is_compared_as_what_it_is_and_with_what_it_was(
    shop: Shop, marketer: Page, complaints: list[str]
) -> None:
    page = opened(marketer, shop)
    control = page.get_by_role("combobox", name="Kind: Condition 1", exact=True)
    control.select_option("trait")
    page.locator('[data-control="$.all[0]|operator0"]').select_option("is")
    trait = page.locator('[data-control="$.all[0].trait"]')
    trait.fill("email")
    trait.press("Tab")
    kind = page.locator('[data-control="$.all[0].is|kind"]')
    expect(kind).to_have_value("string")
    value = page.locator('[data-control="$.all[0].is"]')
    expect(value).to_have_value("")
    value.press_sequentially("customer7@")
    page.get_by_role("option", name=re.compile("customer7@example.org")).click()
    assert document(page) == {"all": [{"trait": "email", "is": "customer7@example.org"}]}
    kind.select_option("boolean")
    assert document(page) == {"all": [{"trait": "email", "is": False}]}
    trait.fill("name")
    trait.press("Tab")
    expect(kind).to_have_value("string")
    assert document(page) == {"all": [{"trait": "name", "is": ""}]}
    complaints.clear()  # Chromium logs the answers 400 as failed loads


def test_a_fault_is_told_at_its_own_control(shop: Shop, marketer: Page, complaints: list[str]) -> None:
    page = opened(marketer, shop)
    length = page.get_by_role("spinbutton", name="Condition 1: within: how long")
    length.fill("")
    expect(length).to_have_attribute("aria-invalid", "true")
    described = page.locator(f"#{length.get_attribute('aria-describedby')}")
    expect(described).to_contain_text("a duration is a whole number of m, h, d or w")
    expect(page.locator("#estimate [data-part=sentence]")).to_have_text("This is not a rule yet.")
    assert faults(page) == []
    length.fill("10")
    expect(length).not_to_have_attribute("aria-invalid", "true")
    page.get_by_role("combobox", name="Narrow down by: Condition 1").select_option("where")
    shown = page.get_by_role("combobox", name="Condition 1, test 1: Property")
    expect(shown).to_be_focused()
    expect(shown).to_have_attribute("aria-invalid", "true")
    shown.fill("no such property's 100%")
    expect(page.locator("#estimate")).to_have_attribute("data-state", "known")
    expect(told(page)).to_have_text("0")
    complaints.clear()  # Chromium logs the answers 400 as failed loads


def test_a_rule_of_ten_thousand_nodes_is_refused_and_not_drawn(
    shop: Shop, marketer: Page, complaints: list[str]
) -> None:
    page = opened(marketer, shop)
    page.get_by_text("The rule as JSON").first.click()
    page.locator("textarea[name=rule]").fill(json.dumps({"any": [{"did": {}}] * 10_000}))
    page.locator("textarea[name=rule]").blur()
    expect(page.locator("#builder")).to_have_text("This rule can only be edited as JSON.")
    expect(page.locator("#estimate [data-part=sample]")).to_have_text(re.compile("at most 40 selectors"))
    complaints.clear()


def test_an_exact_count_is_made_on_demand(shop: Shop, marketer: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.sample.SIZE", 30)
    monkeypatch.setattr("lifecycle.sample.sampled.__kwdefaults__", {"size": 30}, raising=False)
    page = opened(marketer, shop)
    expect(told(page)).to_have_text(re.compile("^about [0-9]+$"))
    expect(page.locator("#estimate [data-part=interval]")).to_contain_text("with 95 % confidence")
    expect(page.locator("#estimate [data-part=sample]")).to_contain_text("drawn at random out of")
    page.get_by_role("button", name="Count exactly").click()
    expect(page.get_by_role("progressbar", name="Exact count")).to_be_visible()
    until = time.monotonic() + 10
    while not work_on_previews() and time.monotonic() < until:  # until the request is answered
        time.sleep(0.05)
    expect(told(page)).to_have_text(re.compile("^[0-9]+$"))
    expect(page.locator("#estimate [data-part=sample]")).to_contain_text("Counted for all")


def test_a_property_that_is_being_filled_in_is_told_where_it_is_named_and_where_it_is_waited_for(
    shop: Shop, marketer: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"did": {"where": [{"property": "mood", "is": "good"}]}}
    page = opened(marketer, shop)
    page.get_by_role("textbox", name="Name", exact=True).fill("In a good mood")
    page.get_by_text("The rule as JSON").first.click()
    page.locator("textarea[name=rule]").fill(json.dumps(rule))
    page.locator("textarea[name=rule]").blur()
    expect(page.locator("#estimate [data-part=rests-on]")).to_contain_text("No rule has named “mood” so far")
    expect(page.locator("#said")).to_contain_text("No rule has named “mood” so far")
    assert faults(page) == []
    page.get_by_role("button", name="Preview the change").click()
    expect(page.locator("#job-count")).to_contain_text("Filling in the values of “mood”")
    expect(page.locator("#effect .notice")).to_contain_text("No rule has named “mood” so far")
    first, last = Touchpoint.objects.aggregate(first=Min("id"), last=Max("id")).values()
    monkeypatch.setattr("customers.named_properties.BACKFILL_STEP", 50)
    key = PropertyKey.objects.create(key="mood", backfilled_upto=first + 99)
    parts = -(-(last - first + 1) // 50)
    page.reload()
    expect(page.locator("#job-count")).to_contain_text(f"2 of {parts} parts")
    expect(page.locator("#effect .notice")).to_contain_text(f"are being filled in, 2 of {parts} parts so far")
    for theme, width in MODES:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        look(page, page.url)  # colours fade from one theme into the other
        assert faults(page) == [], width
        assert not overflow(page), width
    assert work_on_previews() >= 1
    key.refresh_from_db()
    assert key.backfilled_at is not None
    expect(page.locator("#effect .badge.good")).to_have_text(re.compile("exact"))
    expect(page.locator("#effect .notice")).to_have_count(0)


def test_without_scripts_a_rule_is_written_checked_and_drafted(shop: Shop) -> None:
    client = shop.client("marketer")
    wrong = client.post("/segments/new/", {"name": "x", "rule": '{"did": {}, "within": "90"}', "act": "check"})
    assert wrong.status_code == 422
    assert b"$.within: a duration is a whole number" in wrong.content
    right = client.post("/segments/new/", {"name": "x", "rule": '{"did": {}}', "act": "check"})
    assert b"The customer has at some time had a touchpoint." in right.content
    drafted = client.post("/segments/new/", {"name": 'Any "quoted" 100%s', "rule": '{"did": {}}'})
    assert drafted.status_code == 302
    assert client.get(drafted["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{", "this is not JSON"),
        ("[]", "$: a rule is an object"),
        ('{"did": {}, "did": {}}', "is given twice"),
        (json.dumps({"segment": "active_customer"}), "it goes round in a circle"),
        ('{"not": ' * 500 + "3" + "}" * 500, "nodes deep"),
        ('{"not": ' * 100_000 + "3" + "}" * 100_000, "nested too deeply"),
        (json.dumps({"any": [{"did": {}}] * 10_000}), "at most 40 selectors"),
        ('{"did": {"where": [{"property": "p", "gt": 0.12345678901234567891}]}}', "more digits than can be kept"),
    ],
)
def test_what_is_no_rule_is_told_and_never_a_crash(rule: str, said: str, shop: Shop) -> None:
    client = shop.client("admin")
    answer = client.post("/segments/active_customer/rule/", {"rule": rule})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Revision.objects.filter(published_at=None).exists()


def test_a_score_is_chosen_from_those_there_are_and_compared_with_its_steps(shop: Shop, marketer: Page) -> None:
    page = opened(marketer, shop)
    page.get_by_role("combobox", name="Kind: Condition 1", exact=True).select_option("score")
    expect(page.locator('[data-control="$.all[0].trait"]')).to_have_value("score:risk")
    assert document(page) == {"all": [{"trait": "score:risk", "gte": 8}]}
    step = page.get_by_role("combobox", name="Condition 1: is at least: step")
    assert step.locator("option").all_text_contents()[7] == "8 (70–80 %)"
    step.select_option("10")
    assert document(page) == {"all": [{"trait": "score:risk", "gte": 10}]}
    # A score of fewer steps takes what it has.
    page.get_by_role("combobox", name="Condition 1: Score").select_option("score:recency")
    expect(page.get_by_role("combobox", name="Condition 1: is at least: step")).to_have_value("5")
    assert document(page) == {"all": [{"trait": "score:recency", "gte": 5}]}
    page.get_by_role("combobox", name="Condition 1: comparison").select_option("in")
    adder = page.locator('[data-control="$.all[0].in|add"]')
    adder.fill("4")
    adder.press("Enter")
    expect(page.locator(".token-text")).to_have_count(2)
    assert document(page) == {"all": [{"trait": "score:recency", "in": [5, 4]}]}
    assert faults(page) == []
    expect(page.locator("#estimate")).to_contain_text("customers")

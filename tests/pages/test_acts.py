"""What people do on the pages, done in a browser."""

import re

from playwright.sync_api import Page, expect

from customers.merge import merge
from customers.models import Customer, Touchpoint
from lifecycle.advance import advance
from tests.pages.conftest import Shop, faults, look


def test_somebody_signs_in_and_out_again(shop: Shop, page_without_errors: Page) -> None:
    page = page_without_errors
    page.goto(f"{shop.url}/customers/")
    expect(page).to_have_url(re.compile("/account/login/"))
    page.get_by_label("Email").fill("agent@example.org")
    page.get_by_label("Password").fill("not-the-word")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Email").fill("agent@example.org")
    page.get_by_label("Password").fill("a-long-enough-word")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/customers/$"))
    page.locator(".sidebar").get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/account/login/"))


def test_a_customer_is_created_edited_and_called(shop: Shop, agent: Page, complaints: list[str]) -> None:
    page = agent
    page.goto(f"{shop.url}/customers/new/")
    main = page.locator("main")
    main.get_by_label("E-mail").fill("customer3@example.org")
    page.get_by_role("button", name="Create customer").click()
    expect(page.locator(".field.wrong .error")).to_be_visible()
    complaints.clear()  # Chromium logs the answer 422 as a failed load
    main.get_by_label("Name").fill("Björk  Ólafsdóttir")
    main.get_by_label("E-mail").fill("Bjork@Example.org")
    page.get_by_role("button", name="Create customer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Björk Ólafsdóttir")
    expect(page.get_by_text("The customer was created.")).to_be_visible()
    expect(page.locator(".standings .chip").first).to_have_text("Awareness")

    page.get_by_role("link", name="Edit").click()
    main.get_by_label("Phone").fill("+354 555 0100")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    page.get_by_role("link", name="Log a call or note").click()
    dialog = page.get_by_role("dialog")
    assert faults(page) == []
    dialog.get_by_label("What was said").fill("Wants a bigger teapot.\nCalls again on Monday.")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".entry-text").first).to_contain_text("Wants a bigger teapot.")
    expect(page.locator(".entry", has_text="Call").first).to_contain_text("by Joan agent")


def test_a_form_sent_twice_is_logged_once(shop: Shop, agent: Page) -> None:
    customer = shop.customer("1005")
    agent.goto(f"{shop.url}/customers/{customer.pk}/log/")
    agent.get_by_label("What was said").fill("Once is enough.")
    form = agent.evaluate("Object.fromEntries(new FormData(document.querySelector('main form')))")
    for _ in range(2):
        agent.request.post(f"{shop.url}/customers/{customer.pk}/log/", form=form, headers={"Referer": shop.url})
    assert Touchpoint.objects.filter(type__name="Call", profile__customer=customer).count() == 1


def test_slash_leads_to_the_search_of_the_list(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/customers/")
    agent.locator("body").press("/")
    expect(agent.locator("#list-search")).to_be_focused()
    agent.keyboard.type("watanabe customer97")
    agent.keyboard.press("Enter")
    expect(agent).to_have_url(re.compile(r"/customers/\?search=watanabe"))
    expect(agent.locator("tbody tr").first).to_contain_text("Kenji Watanabe 97")
    expect(agent.locator("#list-search")).to_have_value("watanabe customer97")


def test_pages_of_the_list_go_forth_and_back_without_losing_anybody(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/customers/")
    seen: list[str] = []
    while True:
        seen += agent.locator(".person a").all_inner_texts()
        following = agent.get_by_role("link", name="Next")
        if not following.count():
            break
        following.click()
        agent.wait_for_load_state()
    assert len(seen) == len(set(seen)) == Customer.objects.filter(merged_into=None).count()
    agent.get_by_role("link", name="Previous").click()
    agent.wait_for_load_state()
    assert agent.locator(".person a").all_inner_texts() == seen[50:100]


def test_a_stage_filter_shows_exactly_its_customers_and_its_sentence(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/customers/")
    chip = agent.get_by_role("navigation", name="Filters").get_by_role("link", name="Lapsed").first
    count = int(chip.locator(".count").inner_text())
    chip.click()
    expect(agent.locator(".card-sentence")).to_contain_text(f"{count} customers in Lapsed (Seven stages)")
    assert set(agent.locator("tbody td:nth-of-type(1)").all_inner_texts()) == {"Lapsed"}


def test_the_customers_behind_a_figure_are_as_many_as_it_says(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/?period=90d")
    tile = agent.locator(".tile", has=agent.get_by_role("heading", name="Active customers"))
    count = tile.locator(".tile-value").inner_text().split(",")[0].strip()
    tile.get_by_role("link", name="the customers behind it").click()
    expect(agent.locator(".card-sentence b")).to_have_text(count)


def test_a_table_stands_in_for_each_chart(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/?period=90d&still=1")
    assert agent.locator("[data-chart] svg").count() == 2
    for button in agent.get_by_role("button", name="View as table").all():
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
    expect(agent.locator("[data-chart] svg").first).to_be_hidden()
    expect(agent.get_by_role("region", name="Moves as a table")).to_be_visible()
    assert faults(agent) == []


def test_the_theme_follows_the_system_until_somebody_chooses(shop: Shop, agent: Page) -> None:
    def shade() -> str:
        return agent.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    agent.emulate_media(color_scheme="light")
    agent.goto(f"{shop.url}/")
    light = shade()
    agent.get_by_role("button", name="Switch to the dark theme").click()
    dark = shade()
    assert dark != light
    agent.reload()
    assert shade() == dark
    agent.get_by_role("button", name="Switch to the light theme").click()
    agent.emulate_media(color_scheme="dark")
    assert shade() == dark  # the choice was taken back, so the system decides again


def test_a_rule_that_a_sentence_names_is_said_further_down(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/models/seven/")
    names = agent.locator(".rule-sentence a")
    anchors = names.evaluate_all("all => all.map(one => one.hash)")
    assert {"#rule-alive", "#rule-ended", "#rule-established"} <= set(anchors)
    assert all(agent.locator(anchor).count() == 1 for anchor in anchors)
    names.get_by_text("alive").first.click()
    expect(agent.locator("#rule-alive .rule-sentence")).to_be_in_viewport()


def test_a_stage_on_the_band_says_why_at_its_beginning(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/customers/{shop.customer('1005').pk}/")
    first = agent.locator("a.spell").first
    said = first.get_attribute("aria-label")
    assert said is not None
    first.click()
    expect(agent).to_have_url(re.compile(r"at=.*#why$"))
    expect(agent.get_by_role("heading", name=f"Why {said.split(' from ')[0].split(' since ')[0]}")).to_be_visible()
    assert agent.locator(".why-stage.deciding .mark.yes").first.is_visible()
    agent.go_back()
    expect(agent).to_have_url(re.compile(r"/customers/\d+/$"))


def test_older_days_are_loaded_below_without_repeating_any(shop: Shop, agent: Page) -> None:
    shop.tell([shop.order("1011", 300 - n / 2 - 0.1) for n in range(130)])
    agent.goto(f"{shop.url}/customers/{shop.customer('1011').pk}/")
    for shown in (25, 50, 75, 100, 125):
        expect(agent.locator(".entry")).to_have_count(shown)
        agent.get_by_role("link", name="Load older").click()
    expect(agent.locator(".entry")).to_have_count(136)
    expect(agent.get_by_role("link", name="Load older")).to_have_count(0)
    instants = agent.locator(".entry .entry-end time").evaluate_all("all => all.map(one => one.dateTime)")
    assert instants == sorted(instants, reverse=True)
    assert len(set(instants)) == 136


def test_an_absorbed_customers_address_leads_to_the_survivor(shop: Shop, agent: Page) -> None:
    first, second = sorted([shop.customer("1017").pk, shop.customer("1018").pk])
    merge(customers=(first, second), now=shop.now)
    advance()
    absorbed, survivor = (second, first) if Customer.objects.get(pk=second).merged_into_id else (first, second)
    agent.goto(f"{shop.url}/customers/{absorbed}/")
    expect(agent).to_have_url(f"{shop.url}/customers/{survivor}/")
    expect(agent.get_by_text(f"Customer {absorbed} was merged into this one.")).to_be_visible()


def test_an_exact_time_and_its_zone_appear_on_focus(shop: Shop, agent: Page) -> None:
    agent.goto(f"{shop.url}/customers/")
    time = agent.locator("tbody time").first
    time.focus()
    assert "(Europe/London)" in (time.get_attribute("title") or "")
    assert "(Europe/London)" in agent.evaluate("getComputedStyle(document.activeElement, '::after').content")


def test_a_group_of_the_menu_opens_by_keyboard_and_stays_as_it_was_left(shop: Shop, marketer: Page) -> None:
    look(marketer, f"{shop.url}/?still=1")
    menu = marketer.locator(".sidebar")
    imports = menu.get_by_role("link", name="Imports")
    expect(imports).to_be_hidden()
    menu.locator("summary", has_text="Data").focus()
    marketer.keyboard.press("Enter")
    expect(imports).to_be_visible()
    assert faults(marketer) == []
    menu.locator("summary", has_text="Analysis").click()
    look(marketer, f"{shop.url}/customers/")
    expect(imports).to_be_visible()
    expect(menu.get_by_role("link", name="Movement")).to_be_hidden()
    # Whatever was closed: where one is can be seen.
    look(marketer, f"{shop.url}/movement/")
    expect(menu.get_by_role("link", name="Movement")).to_have_attribute("aria-current", "page")
    expect(menu.get_by_role("link", name="Movement")).to_be_visible()


def test_the_menu_opens_on_a_telephone_and_escape_closes_it(shop: Shop, agent: Page) -> None:
    agent.set_viewport_size({"width": 390, "height": 800})
    agent.goto(f"{shop.url}/?still=1")
    assert not agent.locator(".sidebar").is_visible()
    agent.get_by_role("button", name="Menu").click()
    expect(agent.locator(".sidebar")).to_be_visible()
    assert faults(agent) == []
    agent.keyboard.press("Escape")
    expect(agent.locator(".sidebar")).to_be_hidden()

"""Read by anybody: enlarged, printed, with more contrast, from the right to the left, and with what nobody expected."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.customers.order_files import bring_in, line, write
from tests.pages.conftest import Shop, faults, look, overflow

LONG = "Wolfeschlegelsteinhausenbergerdorff" * 300


@pytest.fixture(scope="module")
def stranger(shop: Shop) -> int:
    """Somebody with a name of ten thousand letters, ids and notes to match, half of it in Arabic."""
    events = [
        shop.order(
            "1500",
            9,
            traits={"name": LONG, "motto": LONG, "اسم": "نور الهدى " * 200},
            properties={"remark": LONG, "ملاحظة": "مرحبا " * 500},
        )
    ]
    shop.tell(events)
    return shop.customer("1500").pk


def test_text_of_twice_the_size_fits(shop: Shop, agent: Page) -> None:
    agent.set_viewport_size({"width": 1280, "height": 800})
    for path in ("/", "/customers/", "/metrics/", f"/customers/{shop.customer('1005').pk}/"):
        look(agent, shop.url + path)
        agent.evaluate("document.documentElement.style.fontSize = '200%'")
        assert not overflow(agent), path


@pytest.mark.parametrize("width", [1280, 320])
def test_what_nobody_expected_stays_inside(width: int, stranger: int, shop: Shop, agent: Page) -> None:
    agent.set_viewport_size({"width": width, "height": 800})
    for path in (
        f"/customers/{stranger}/",
        "/customers/",
        "/search/?search=wolfeschlegel",
        "/customers/?search=" + "x" * 200,
    ):
        look(agent, shop.url + path)
        assert not overflow(agent), path
    look(agent, f"{shop.url}/customers/{stranger}/")
    assert faults(agent) == []


def test_names_run_in_their_own_direction(stranger: int, shop: Shop, agent: Page) -> None:
    shop.tell([shop.order("1501", 2, traits={"name": "نور الهدى"})])
    agent.goto(f"{shop.url}/customers/?search=نور")
    name = agent.locator(".person a").first
    assert name.evaluate("one => getComputedStyle(one).direction") == "rtl"
    assert agent.evaluate("getComputedStyle(document.body).direction") == "ltr"


def test_pages_stand_when_everything_runs_from_the_right(shop: Shop, agent: Page) -> None:
    for path in ("/", "/customers/", f"/customers/{shop.customer('1005').pk}/"):
        look(agent, shop.url + path)
        agent.evaluate("document.documentElement.dir = 'rtl'")
        assert not overflow(agent), path


def test_paper_shows_the_page_without_its_controls(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/?still=1")
    agent.emulate_media(media="print", color_scheme="dark")
    for gone in (".sidebar", ".topbar", ".scope", "[data-shows-table]"):
        expect(agent.locator(gone).first).to_be_hidden()
    expect(agent.get_by_role("heading", level=1)).to_be_visible()
    assert agent.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_more_contrast_is_given_to_those_who_ask(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/customers/")

    def border() -> Any:
        return agent.evaluate("getComputedStyle(document.querySelector('.card')).borderTopColor")

    plain = border()
    agent.emulate_media(contrast="more")
    assert border() != plain
    assert faults(agent) == []


def test_nothing_moves_for_those_who_ask(shop: Shop, agent: Page) -> None:
    agent.emulate_media(reduced_motion="reduce")
    look(agent, f"{shop.url}/styleguide/")
    moving = agent.evaluate(
        "document.getAnimations().filter(one => one.effect.getComputedTiming().duration > 1"
        " && one.playState === 'running').length"
    )
    assert moving == 0


def test_without_scripts_tables_stand_in_for_charts(shop: Shop, agent: Page) -> None:
    context = agent.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    context.add_cookies(agent.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{shop.url}/")
    expect(page.get_by_role("region", name="Moves as a table")).to_be_visible()
    expect(page.locator(".chart").first).to_be_hidden()
    context.close()


def test_the_library_of_charts_waits_until_it_is_needed(shop: Shop, agent: Page) -> None:
    asked: list[str] = []
    agent.on("request", lambda request: asked.append(request.url))
    look(agent, f"{shop.url}/customers/")
    assert not [url for url in asked if "echarts" in url]
    look(agent, f"{shop.url}/")
    assert len([url for url in asked if "echarts" in url]) == 1
    assert agent.locator("script[src*=echarts]").count() == 1


def test_charts_say_in_one_sentence_what_they_show(shop: Shop, agent: Page) -> None:
    look(agent, f"{shop.url}/?period=90d")
    said = agent.locator("[data-chart]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert [bool(re.match(r"(Since|Active customers, week by week)", text)) for text in said] == [True, True]
    assert "NaN" not in "".join(said)


@pytest.mark.usefixtures("never_again")
def test_an_open_page_offers_what_has_come_in_since(shop: Shop, agent: Page) -> None:
    agent.clock.install()
    customer = shop.customer("1007").pk
    agent.goto(f"{shop.url}/customers/{customer}/")

    def half_a_minute_passes() -> None:
        with agent.expect_response(re.compile("/news/")) as answer:
            agent.clock.fast_forward(31_000)
        answer.value.finished()
        agent.evaluate("new Promise(done => requestAnimationFrame(done))")

    half_a_minute_passes()
    shop.tell([shop.order("1008", 0.01)])  # somebody else's
    half_a_minute_passes()
    expect(agent.locator(".news")).to_be_hidden()
    shop.tell([shop.order("1007", 0.01, amount=9_999)])
    half_a_minute_passes()
    expect(agent.locator(".news")).to_be_visible()
    agent.get_by_role("link", name="Load it").click()
    expect(agent.locator(".amount").first).to_contain_text("99.99")


def test_the_account_of_an_import_is_short_and_unfolds(shop: Shop, sign_in: Any, tmp_path: Any) -> None:
    page = sign_in("admin")
    lines = [line("1", quantity="many"), *(line(f"{at}", customer="" if at % 2 else "17850") for at in range(6, 500))]
    record = bring_in(write(tmp_path, *lines, name="our orders.csv")).record
    for theme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        look(page, f"{shop.url}/system/imports/{record.pk}/?still=1")
        assert faults(page) == []
        assert not overflow(page)
        assert page.evaluate("document.documentElement.scrollHeight") < 2000
    numbers = page.get_by_text("398, 400")
    expect(numbers).to_be_hidden()
    page.get_by_text("all that are kept").click()
    expect(numbers).to_be_visible()
    look(page, f"{shop.url}/system/?still=1")
    assert faults(page) == []
    assert not overflow(page)

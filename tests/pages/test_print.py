"""Pages of figures on paper: no navigation, tables unfolded, light colours, charts as wide as the sheet."""

import pytest
from playwright.sync_api import Page

from tests.pages.conftest import Shop, look

SHOWN = "element => getComputedStyle(element).display !== 'none' && element.getClientRects().length > 0"


@pytest.mark.parametrize("path", ["/?period=90d", "/movement/?period=90d", "/retention/", "/metrics/", "/spend/"])
def test_what_one_could_press_is_not_printed_and_tables_lie_open(path: str, shop: Shop, agent: Page) -> None:
    agent.emulate_media(color_scheme="dark")
    look(agent, shop.url + path)
    assert agent.locator(".sidebar").evaluate(SHOWN)
    # As wide as a sheet of A4 between its margins.
    agent.set_viewport_size({"width": 718, "height": 1000})
    agent.emulate_media(media="print", color_scheme="dark")
    for part in (".sidebar", ".topbar", ".button", ".segmented", ".info"):
        assert not any(agent.locator(part).evaluate_all(f"found => found.map({SHOWN})")), part
    assert all(agent.locator(".chart-table").evaluate_all(f"found => found.map({SHOWN})"))
    assert agent.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert agent.locator("h1").evaluate("element => getComputedStyle(element).color") == "rgb(17, 20, 28)"
    # Nothing is cut off at the edge of the sheet.
    wide = agent.evaluate(
        "[...document.querySelectorAll('main *')].filter(one => one.getClientRects().length"
        " && !one.closest('.unseen, .chart') && one.getBoundingClientRect().right > innerWidth + 1)"
        ".map(one => one.outerHTML.slice(0, 90))"
    )
    assert wide == []


def test_charts_are_drawn_light_and_for_the_sheet_and_again_for_the_screen(shop: Shop, agent: Page) -> None:
    agent.emulate_media(color_scheme="dark")
    look(agent, f"{shop.url}/?period=90d&still=1")
    chart = agent.locator("[data-from=active-data]")
    on_screen = chart.inner_html()
    agent.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert chart.evaluate("element => element.clientWidth") == 688
    assert chart.locator("svg").get_attribute("width") == "688"
    # The line has the light one of the two colours of the accent (static/css/tokens.css).
    assert "rgb(79,70,229)" in chart.inner_html().replace(" ", "")
    agent.evaluate("dispatchEvent(new Event('afterprint'))")
    assert chart.inner_html() != ""
    agent.wait_for_function("document.querySelector('[data-from=active-data] svg').getAttribute('width') !== '688'")
    assert agent.evaluate("document.documentElement.dataset.theme ?? ''") == ""
    assert len(chart.inner_html()) == pytest.approx(len(on_screen), rel=0.05)

"""Every page, in both themes, on a desk and on a telephone: nobody is shut out, nothing is refused, nothing spills."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from customers.models import TouchpointType
from tests.pages.conftest import MODES, Shop, faults, look, overflow, running_experiment
from tests.reports.conftest import make_report, outsider, ready

# Each theme and each width once.
PAGES = [
    "/",
    "/?period=365d&model=cycle",
    "/?segment=active_customer&compare=year",
    "/customers/",
    "/customers/?falling=1",
    "/customers/?search=nobody-is-called-so",
    "/customers/{customer}/",
    "/customers/{customer}/edit/",
    "/customers/{customer}/log/",
    "/customers/{customer}/timeline/",
    "/customers/new/",
    "/metrics/",
    "/movement/?period=90d",
    "/value/",
    "/acquisition/?period=365d",
    "/retention/",
    "/experiments/",
    "/experiments/{experiment}/",
    "/experience/?period=365d",
    "/experience/answers/?period=365d",
    "/support/?period=365d",
    "/support/tickets/?period=365d",
    "/search/?search=novak",
    "/models/",
    "/models/seven/",
    "/rules/",
    "/catalogue/?unseen=1",
    "/catalogue/{type}/",
    "/accounts/",
    "/accounts/{account}/",
    "/rates/missing/",
    "/rates/missing/touchpoints/",
    "/segments/",
    "/segments/active_customer/",
    "/segments/active_customer/list/",
    "/segments/active_customer/versions/1/",
    "/segments/active_customer/examples/",
    "/styleguide/",
    "/account/password/change/",
]
# Pages of somebody who may do more than an agent.
MARKETERS_PAGES = ["/reports/", "/reports/new/", "/reports/{report}/", "/reports/{report}/mailings/{mailing}/"]


@pytest.mark.parametrize("path", PAGES)
def test_page_is_accessible_and_fits_in_both_themes_and_widths(path: str, shop: Shop, agent: Page) -> None:
    order = TouchpointType.objects.get(name="Order Completed").pk
    address = shop.url + path.format(
        customer=shop.customer("1005").pk, type=order, account=shop.account, experiment=running_experiment()
    )
    address += "&still=1" if "?" in address else "?still=1"
    for theme, width in MODES:
        agent.emulate_media(color_scheme=theme)
        agent.set_viewport_size({"width": width, "height": 800})
        assert look(agent, address).status == 200
        assert faults(agent) == [], (theme, width)
        assert not overflow(agent), (theme, width)
    # 1280 pixels enlarged four times are 320 (WCAG 1.4.10).
    agent.set_viewport_size({"width": 320, "height": 256})
    assert not overflow(agent)


@pytest.mark.parametrize("path", MARKETERS_PAGES)
def test_page_of_reports_is_accessible_and_fits(path: str, shop: Shop, sign_in: Callable[[str], Page]) -> None:
    marketer = sign_in("marketer")
    report = make_report()
    outsider(report, "somebody@example.org")
    address = shop.url + path.format(report=report.pk, mailing=ready(report).pk)
    try:
        for theme, width in MODES:
            marketer.emulate_media(color_scheme=theme)
            marketer.set_viewport_size({"width": width, "height": 800})
            assert look(marketer, f"{address}?still=1").status == 200
            assert faults(marketer) == [], (theme, width)
            assert not overflow(marketer), (theme, width)
    finally:
        report.delete()


def test_every_part_looks_the_same_each_time_in_both_themes(shop: Shop, agent: Page) -> None:
    pictures = []
    for theme in ("light", "dark"):
        agent.emulate_media(color_scheme=theme, reduced_motion="reduce")
        for _ in range(2):
            look(agent, f"{shop.url}/styleguide/?still=1")
            pictures.append(agent.locator("main").screenshot())
        assert pictures[-1] == pictures[-2], theme
    assert pictures[0] != pictures[-1]


@pytest.mark.parametrize("path", ["/account/login/", "/account/password/reset/"])
def test_entrance_is_accessible_and_fits(path: str, shop: Shop, page_without_errors: Page) -> None:
    page = page_without_errors
    for theme, width in MODES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        look(page, shop.url + path)
        assert faults(page) == [], (theme, width)
        assert not overflow(page), (theme, width)


def test_what_is_not_there_says_so_and_leads_back(shop: Shop, agent: Page, complaints: list[str]) -> None:
    for path in ("/customers/999999/", "/models/eight/"):
        assert look(agent, shop.url + path).status == 404
        assert faults(agent) == []
        assert agent.get_by_role("link", name="To the overview").is_visible()
    # A day nothing can be known of is told beside its field, and the page stays.
    assert look(agent, f"{shop.url}/customers/?as_of=2999-01-01").status == 400
    assert faults(agent) == []
    assert agent.get_by_role("heading", name="Customers", level=1).is_visible()
    # Chromium logs every answer from 400 on as a failed load.
    assert len(complaints) == 3
    complaints.clear()


def test_a_viewer_sees_no_button_that_would_be_refused(
    shop: Shop, sign_in: Callable[[str], Page], complaints: list[str]
) -> None:
    page = sign_in("viewer")
    page.goto(f"{shop.url}/customers/")
    assert page.get_by_role("link", name="New customer").count() == 0
    page.goto(f"{shop.url}/customers/{shop.customer('1005').pk}/")
    assert page.get_by_role("link", name="Edit").count() == 0
    assert page.get_by_role("link", name="Log a call or note").count() == 0
    assert look(page, f"{shop.url}/customers/new/").status == 403
    assert faults(page) == []
    assert len(complaints) == 1
    complaints.clear()

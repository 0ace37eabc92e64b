"""Before anything has happened: every page says what it will show and what to do next."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import faults, look, overflow


@pytest.mark.parametrize(
    ("path", "heading", "step"),
    [
        ("/", "No customers yet", "manage.py demo"),
        ("/customers/", "No customers yet", "manage.py import_file"),
        ("/customers/?stage=retention", "No customers yet", "New customer"),
        ("/metrics/", "", "n/a"),
        ("/movement/", "No customers yet", "manage.py demo"),
        ("/retention/", "No customers yet", "manage.py demo"),
        ("/value/", "No customers yet", "How to send events"),
        ("/acquisition/", "No customers yet", "manage.py demo"),
        ("/models/five/", "", "How to send events"),
        ("/models/five/examples/", "No example yet", "a little made-up history leads there"),
        ("/segments/active_customer/", "Nobody is in it", "appears here by itself"),
        ("/segments/active_customer/list/", "Nobody is included by hand", "The list of customers"),
        ("/segments/?search=anything", "No segment like this", "Show all segments"),
        ("/campaigns/", "No campaigns yet", "Marketers and admins"),
        ("/spend/", "No spend yet", "Marketers and admins"),
        ("/customers/merge/", "Merge customers", "Nobody was merged yet."),
        ("/search/?search=anybody", "Nothing found", "All customers"),
    ],
)
def test_an_installation_without_customers_teaches_how_to_begin(
    path: str, heading: str, step: str, empty_installation: str, agent: Page
) -> None:
    assert look(agent, empty_installation + path).status == 200
    assert faults(agent) == []
    agent.set_viewport_size({"width": 390, "height": 800})
    assert not overflow(agent)
    if heading:
        expect(agent.get_by_role("heading", name=heading)).to_be_visible()
    expect(agent.locator("main")).to_contain_text(step)


def test_a_viewer_is_not_told_to_do_what_only_others_may(
    empty_installation: str, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("viewer")
    for path in ("/", "/customers/"):
        look(page, empty_installation + path)
        expect(page.get_by_role("link", name="New customer")).to_have_count(0)
        expect(page.get_by_role("link", name="Create a customer")).to_have_count(0)


def test_the_system_page_of_an_empty_installation_is_whole(
    empty_installation: str, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("admin")
    look(page, f"{empty_installation}/system/")
    assert faults(page) == []
    expect(page.get_by_text("No file was imported yet.")).to_be_visible()


def test_places_of_the_installation_teach_what_they_are_for(
    empty_installation: str, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("admin")
    for path, heading, step in (
        ("/keys/", "No keys yet", "New key"),
        ("/rates/", "No rates yet", "Enter a rate"),
        ("/sources/", "Nothing sends yet", "New source"),
        ("/erasures/", "Nobody was erased", "Customers"),
        ("/review/", "Nothing to decide", "Merge two others"),
        ("/spend/", "No spend yet", "Bring in a file"),
        ("/campaigns/", "No campaigns yet", "New campaign"),
        ("/users/?state=off", "Nobody here", "Show everybody"),
    ):
        look(page, empty_installation + path)
        assert faults(page) == []
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        expect(page.locator("main")).to_contain_text(step)

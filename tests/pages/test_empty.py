"""Before anything has happened."""

from playwright.sync_api import Page

from tests.pages.conftest import faults, look


def test_an_installation_without_customers_teaches_how_to_begin(empty_installation: str, agent: Page) -> None:
    for path in ("/", "/customers/", "/metrics/", "/models/five/"):
        assert look(agent, empty_installation + path).status == 200, path
        assert faults(agent) == [], path
    agent.goto(empty_installation)
    assert agent.get_by_role("heading", name="No customers yet").is_visible()

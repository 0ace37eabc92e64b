"""Where the menu and the search lead somebody, by role."""

import pytest
from django.test import Client

from customers.models import Installation
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "is_led"), [("viewer", False), ("agent", False), ("marketer", False), ("admin", True)]
)
def test_only_those_who_may_build_pages_are_led_to_the_style_guide_and_anybody_may_open_it(
    role: str, is_led: bool
) -> None:
    Installation.objects.create(currency="GBP")
    browser = Client()
    browser.force_login(make_user(role))
    assert (b'href="/styleguide/"' in browser.get("/metrics/").content) is is_led
    assert (b'href="/styleguide/"' in browser.get("/search/?search=style").content) is is_led
    assert browser.get("/styleguide/").status_code == 200


def test_whoever_develops_is_led_there_too(settings: object) -> None:
    Installation.objects.create(currency="GBP")
    settings.DEBUG = True  # type: ignore[attr-defined]
    browser = Client()
    browser.force_login(make_user("viewer"))
    assert b'href="/styleguide/"' in browser.get("/metrics/").content

"""The documents in a browser: they work under the program's own content security policy."""

import re

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.factories import make_user


@pytest.mark.django_db(transaction=True)
def test_the_documents_open_without_a_complaint(live_server: LiveServer, page_without_errors: Page) -> None:
    login = Client()
    login.force_login(make_user("viewer"))
    session = login.cookies[settings.SESSION_COOKIE_NAME].value
    page = page_without_errors
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/api/v1/docs/")
    expect(page.get_by_text("Organisations, newest first", exact=True)).to_be_visible(timeout=30_000)
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 700)  # what lies below is drawn when it comes into sight
    expect(page.get_by_text("Make a campaign", exact=True)).to_be_visible()
    page.emulate_media(color_scheme="dark")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    expect(page.locator("html")).to_have_class(re.compile("dark-mode"))
    red, green, blue = (int(part) for part in page.evaluate(background)[4:-1].split(","))
    assert max(red, green, blue) < 80, "the page is dark where the system is"
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).not_to_have_class(re.compile("dark-mode"))

"""The pages of sources in a browser: read by everybody, and filled while one looks."""

import json
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from customers.receiving.write_keys import create_source
from tests.pages.conftest import MODES, Shop, faults, look, overflow
from tests.receiving.sending import track


@pytest.fixture(scope="module")
def key(shop: Shop) -> str:
    _source, key = create_source(name="Web shop")
    return key


def send(shop: Shop, key: str, *messages: dict[str, object]) -> None:
    body = json.dumps({"writeKey": key, "batch": messages}).encode()
    with urllib.request.urlopen(f"{shop.url}/v1/batch", body, timeout=20) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ["/sources/", "/sources/new/", "/sources/web-shop/", "/sources/web-shop/close/"])
def test_page_is_accessible_and_fits_in_both_themes_and_widths(
    path: str, shop: Shop, key: str, sign_in: Callable[[str], Page]
) -> None:
    send(shop, key, track("1", "Signed Up", user="Ada"), track("2", user="null", properties={"long": "x" * 300}))
    page = sign_in("admin")
    for theme, width in MODES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        look(page, f"{shop.url}{path}?still=1")
        assert faults(page) == [], (theme, width)
        assert not overflow(page), (theme, width)


def test_what_is_sent_shows_within_seconds_and_what_was_refused_is_tried_again(
    shop: Shop, key: str, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("admin")
    look(page, f"{shop.url}/sources/web-shop/")
    send(shop, key, track("3", "Rang Twice", user="Ada"), track("4", ""))
    expect(page.locator("#tail")).to_contain_text("Rang Twice", timeout=10_000)
    look(page, f"{shop.url}/sources/web-shop/")
    page.get_by_role("button", name="Try again").first.click()
    expect(page.get_by_text("It was refused again")).to_be_visible()

"""The page of one import: an admin finds every line that was set aside, with its number and its reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from clm.lib.access.models import User
from customers.management.commands.import_file import account_lines
from customers.models import Import
from tests.customers.order_files import bring_in, line, write
from tests.pages.conftest import faults, look, overflow


@pytest.fixture(scope="module")
def record(empty_installation: str, tmp_path_factory: Any) -> Import:
    """Lines 3, 4, 5 and then every second line name no customer; lines 2 and 500 cannot be read."""
    lines = [line("1", quantity="<b>many</b>"), *(line("2", customer="") for _ in range(3))]
    for at in range(6, 500):
        lines.append(line(f"{at}", customer="" if at % 2 else "17850"))
    lines.append(line("500", time="yesterday"))
    folder: Path = tmp_path_factory.mktemp("imports")
    return bring_in(write(folder, *lines, name="our orders.csv")).record


def seen_by(role: str, path: str) -> Any:
    client = Client()
    client.force_login(User.objects.get(role=role))
    return client.get(path)


def test_the_terminal_says_the_first_lines_of_each_reason(record: Import) -> None:
    said = "\n".join(account_lines(record))
    assert "    lines 3–5, 7, 9, 11, 13 and 243 more" in said
    assert "    line 2\n" in said
    assert f"/system/imports/{record.pk}/" in said


def test_an_admin_finds_every_line_set_aside(record: Import) -> None:
    answer = seen_by("admin", f"/system/imports/{record.pk}/")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "no customer is named" in text
    # 200 stretches of the 248 are written out: 3 to 5, then 7 to 403.
    assert "3–5, 7, 9, 11," in text and ", 403 and 48 more" in text
    assert "&lt;b&gt;many&lt;/b&gt;" in text and "<b>many" not in text
    assert "yesterday" in text


def test_only_an_admin_sees_it_and_only_what_is_there(record: Import) -> None:
    assert seen_by("marketer", f"/system/imports/{record.pk}/").status_code == 403
    assert seen_by("admin", f"/system/imports/{record.pk + 1}/").status_code == 404


def test_the_system_page_leads_there_and_it_is_accessible_and_fits(
    record: Import, empty_installation: str, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("admin")
    look(page, f"{empty_installation}/system/")
    assert overflow(page) is False and faults(page) == []
    page.get_by_role("link", name="our orders.csv").click()
    page.get_by_role("heading", name="our orders.csv").wait_for()
    for theme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        look(page, f"{empty_installation}/system/imports/{record.pk}/")
        assert faults(page) == [], (theme, width)
        assert not overflow(page), (theme, width)

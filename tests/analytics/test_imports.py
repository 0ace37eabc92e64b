"""The account of one import: an admin finds every line that was set aside, with its number and its reason."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from clm.lib.access.models import User
from customers.management.commands.import_file import account_lines
from customers.models import Import, Installation
from tests.customers.order_files import bring_in, line, write

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(db: None, tmp_path: Path) -> Import:
    """Lines 3, 4, 5 and then every second line name no customer; lines 2 and 500 cannot be read."""
    Installation.objects.create(currency="GBP")
    lines = [line("1", quantity="<b>many</b>"), *(line("2", customer="") for _ in range(3))]
    for at in range(6, 500):
        lines.append(line(f"{at}", customer="" if at % 2 else "17850"))
    lines.append(line("500", time="yesterday"))
    return bring_in(write(tmp_path, *lines, name="our orders.csv")).record


def seen_by(role: str, path: str) -> Any:
    client = Client()
    client.force_login(User.objects.create_user(f"{role}@example.org", role=role))
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

"""The account of an import, as an admin reads it in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from customers.models import Import, Source
from tests.pages.conftest import faults, look, overflow


@pytest.fixture
def account(empty_installation: str) -> str:
    """The address of the account of an import with very many lines set aside one by one."""
    source, _is_new = Source.objects.get_or_create(key="shop", name="Our shop", kind="file")
    record = Import.objects.create(
        source=source,
        file_name="orders.csv",
        file_sha256="0" * 64,
        file_bytes=10,
        mapping={},
        state=Import.State.DONE,
        lines_read=6_000,
        lines_used=4_000,
        set_aside={
            "not_counted": {"lines": 1_000, "amount": 123_456_789, "ranges": [[n, n] for n in range(2, 2_002, 2)]},
            "bad_time": {"lines": 1_000, "amount": 0, "ranges": [[n, n] for n in range(3_001, 5_001, 2)]},
        },
    )
    return f"{empty_installation}/system/imports/{record.pk}/"


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_all_line_numbers_leave_the_reason_its_room(account: str, width: int, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("admin")
    page.set_viewport_size({"width": width, "height": 800})
    look(page, account)
    reason = page.get_by_role("rowheader").first
    before = reason.bounding_box()
    page.locator(".fold summary").first.click()
    expect(page.locator(".fold[open] p")).to_be_visible()
    after = reason.bounding_box()
    assert before is not None and after is not None
    assert after["width"] == pytest.approx(before["width"], abs=1)
    assert after["width"] > 180
    assert faults(page) == []
    assert not overflow(page)

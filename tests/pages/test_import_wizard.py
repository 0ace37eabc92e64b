"""Bringing in a file in the browser: with the keyboard alone, in both themes and widths, from the file to what became
of it."""

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from customers.importing.work import work_on_imports
from tests.pages.conftest import MODES, Shop, faults, look, overflow

FILE = (
    "Record ID,First Name,Last Name,Email,Lifecycle Stage,Create Date,Became a Customer Date,Company Name,Plan\r\n"
    "151,Ada,Byron,ada@example.org,Customer,2025-01-02 09:30,2025-03-04 10:00,Analytical Engines,pro\r\n"
    "152,Grace,Hopper,grace@example.org,Lead,2025-02-02 09:30,,Navy,free\r\n"
    "153,Kay,,nonsense,Lead,2025-02-02 09:30,,,free\r\n"
)


def looks_right(page: Page, name: str) -> None:
    """In both themes and widths nobody is shut out and nothing spills."""
    address = page.url.partition("?")[0]
    for theme, width in MODES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        look(page, f"{address}?still=1")
        assert faults(page) == [], (name, theme, width)
        assert not overflow(page), (name, theme, width)
        if folder := os.environ.get("CLM_PICTURES"):
            page.screenshot(path=f"{folder}/{name}-{theme}-{width}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_file_goes_from_choosing_to_its_account(shop: Shop, sign_in: Callable[[str], Page], tmp_path: Path) -> None:
    page = sign_in("marketer")
    path = tmp_path / "contacts.csv"
    path.write_text(FILE)
    look(page, f"{shop.url}/imports/?still=1")
    looks_right(page, "1-empty")
    page.get_by_role("link", name="New import").first.press("Enter")
    expect(page.get_by_role("heading", name="New import")).to_be_visible()
    looks_right(page, "2-new")
    page.get_by_label("CSV or Excel file").set_input_files(path)
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.get_by_text("recognised: HubSpot")).to_be_visible()
    expect(page.get_by_role("combobox", name="Lifecycle Stage is")).to_have_value("trait")
    looks_right(page, "3-columns")
    page.get_by_role("combobox", name="Plan is").select_option("leave")
    page.get_by_role("button", name="Dry run").press("Enter")
    expect(page.get_by_text("Trying the file")).to_be_visible()
    work_on_imports()
    # The page asks again by itself, and then shows what was counted.
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible(timeout=15_000)
    expect(page.get_by_role("combobox", name="Plan is")).to_have_value("leave")
    looks_right(page, "4-checked")
    page.get_by_role("button", name="Bring it in").press("Enter")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    looks_right(page, "5-running")
    work_on_imports()
    expect(page.get_by_role("link", name="File of errors")).to_be_visible(timeout=15_000)
    looks_right(page, "6-done")
    look(page, f"{shop.url}/imports/?still=1")
    expect(page.get_by_role("link", name="contacts.csv").first).to_be_visible()
    looks_right(page, "7-list")


def test_the_palette_leads_to_a_new_import(shop: Shop, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("marketer")
    look(page, f"{shop.url}/customers/?still=1")
    page.keyboard.press("Control+k")
    page.keyboard.type("bring in a file of people")
    expect(page.get_by_role("option", name="Bring in a file of people").first).to_be_visible()


def test_a_file_of_order_lines_is_told_where_these_come_in(
    shop: Shop, sign_in: Callable[[str], Page], tmp_path: Path
) -> None:
    page = sign_in("marketer")
    path = tmp_path / "orders_of_the_whole_year_2025_of_the_shop.csv"
    path.write_text("Order,SKU,Qty,Unit price,Created at,Customer ID\r\n1,A,2,5.00,2025-03-04,7\r\n")
    look(page, f"{shop.url}/imports/new/?still=1")
    page.get_by_label("CSV or Excel file").set_input_files(path)
    page.get_by_role("button", name="Look at it").press("Enter")
    expect(page.get_by_text("This looks like a file of order lines.")).to_be_visible()
    looks_right(page, "8-orders")

"""The pages of those who run the installation and of marketers, in a browser: to be read by everybody, used by
keyboard, and found by the words people use."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from campaigns.keeping import create_campaign
from campaigns.models import Spend
from campaigns.spending import enter_spend
from clm.lib.access.keeping import issue_key
from clm.lib.access.models import Role, User
from customers.merge import merge
from customers.models import PossibleMerge, Profile
from customers.rates import enter_rate
from customers.review import Possible, propose
from tests.pages.conftest import MODES, Shop, faults, look, overflow

PAGES = [
    "/users/",
    "/users/?state=off",
    "/users/new/",
    "/users/{user}/",
    "/users/{user}/access/",
    "/keys/",
    "/keys/new/",
    "/account/",
    "/campaigns/",
    "/campaigns/spring/",
    "/campaigns/new/",
    "/spend/",
    "/spend/?by=channel&kind=paid",
    "/spend/?from=soon",
    "/spend/new/",
    "/spend/file/",
    "/rates/",
    "/settings/",
    "/customers/merge/?search=novak",
    "/customers/{customer}/merge/",
    "/customers/{customer}/merge/?with={other}",
    "/customers/{customer}/erase/",
    "/erasures/",
    "/review/",
    "/review/?state=refused&why=email",
    "/review/{pair}/",
    "/api/v1/docs/",
]


@pytest.fixture(scope="module")
def busy_shop(shop: Shop) -> Shop:
    """The shop with campaigns, spend, keys, a rate and a merge."""
    create_campaign(key="spring", name="Spring sale", channel="search", budget=Decimal(500))
    for n in range(70):
        day = shop.now.date() - dt.timedelta(days=n)
        enter_spend(
            channel=("search", "social")[n % 2],
            day=day,
            amount=Decimal(20 + n),
            now=shop.now,
            campaign="spring" if n % 2 == 0 else None,
            is_paid_media=n % 5 != 0,
        )
    enter_rate(currency="EUR", day=dt.date(2026, 1, 1), rate=Decimal("0.8571"), source="Joan admin")
    issue_key(name="Till of the shop", role="agent")
    issue_key(name="My report", role="viewer", owner=shop.people["agent"])
    pair = shop.customer("1090").pk, shop.customer("1091").pk
    merge(customers=pair, now=shop.now, author=shop.people["agent"].pk, reason="Same person")
    alike = [Profile.objects.get(customer=shop.customer(one)).pk for one in ("1017", "1023")]
    propose(pairs=[Possible(*alike, "phone", "+442079460958")])
    return shop


@pytest.fixture
def admin(sign_in: Callable[[str], Page]) -> Page:
    return sign_in("admin")


def address(shop: Shop, path: str) -> str:
    places = {
        "user": shop.people["agent"].pk,
        "customer": shop.customer("1005").pk,
        "other": shop.customer("1011").pk,
        "pair": PossibleMerge.objects.get().pk,
    }
    path = path.format(**places)
    return f"{shop.url}{path}{'&' if '?' in path else '?'}still=1"


@pytest.mark.parametrize("path", PAGES)
def test_page_is_accessible_and_fits_in_both_themes_and_widths(
    path: str, busy_shop: Shop, admin: Page, complaints: list[str]
) -> None:
    for theme, width in MODES:
        admin.emulate_media(color_scheme=theme)
        admin.set_viewport_size({"width": width, "height": 800})
        look(admin, address(busy_shop, path))
        if "/docs/" in path:
            # It draws only what can be seen: this stands at the top.
            expect(admin.get_by_text("Organisations, newest first", exact=True)).to_be_visible(timeout=30_000)
            assert not overflow(admin), (theme, width)
            continue  # what is inside is another program's
        assert faults(admin) == [], (theme, width)
        assert not overflow(admin), (theme, width)
    if "soon" in path:
        assert complaints
        complaints.clear()  # Chromium logs the answer 400 as a failed load


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("users", r"/users/$"),
        ("team", r"/users/$"),
        ("api key", r"/keys/$"),
        ("token", r"/(keys|account)/$"),
        ("spend", r"/spend/$"),
        ("costs", r"/spend/$"),
        ("merge duplicates", r"/customers/merge/$"),
        ("settings", r"/settings/$"),
        ("currency", r"/rates/$"),
        ("profile", r"/account/$"),
    ],
)
def test_control_k_finds_them_by_the_words_people_use(typed: str, found: str, busy_shop: Shop, admin: Page) -> None:
    admin.goto(f"{busy_shop.url}/styleguide/?still=1")
    admin.keyboard.press("Control+k")
    admin.keyboard.type(typed)
    option = admin.locator('[role="group"]:not([aria-label="Customers"]) [role="option"]').first
    expect(option).to_be_visible()
    admin.keyboard.press("Enter")
    expect(admin).to_have_url(re.compile(found))


def test_a_marketer_finds_places_of_their_own_in_the_menu(busy_shop: Shop, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("marketer")
    look(page, f"{busy_shop.url}/")
    menu = page.locator(".sidebar")
    menu.get_by_role("link", name="Spend").click()
    expect(menu.get_by_role("link", name="Spend")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("link", name="Enter spend")).to_be_visible()
    menu.get_by_role("link", name="Campaigns").click()
    expect(page.get_by_role("link", name="New campaign")).to_be_visible()
    expect(menu.get_by_role("link", name="Imports", include_hidden=True)).to_have_count(1)
    expect(menu.get_by_role("link", name="Users", include_hidden=True)).to_have_count(0)
    expect(menu.get_by_role("link", name="Exchange rates", include_hidden=True)).to_have_count(0)


def test_a_key_is_made_by_keyboard_and_its_secret_copied(busy_shop: Shop, admin: Page) -> None:
    admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.goto(f"{busy_shop.url}/keys/new/")
    admin.get_by_label("What it is for").focus()
    admin.keyboard.type("Warehouse")
    admin.keyboard.press("Tab")
    admin.keyboard.press("ArrowDown")
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("heading", level=1)).to_have_text("Warehouse")
    assert faults(admin) == []
    secret = admin.locator("#secret").inner_text()
    admin.get_by_role("button", name="Copy Secret of the key").click()
    expect(admin.locator("#said")).to_have_text("Copied")
    assert admin.evaluate("navigator.clipboard.readText()") == secret
    admin.get_by_role("link", name="I have copied it").click()
    assert secret not in admin.content()
    expect(admin.get_by_role("row", name="Warehouse")).to_contain_text("Agent")


def test_every_fault_of_a_form_is_marked_and_reads_well(busy_shop: Shop, admin: Page, complaints: list[str]) -> None:
    admin.goto(f"{busy_shop.url}/users/new/")
    admin.get_by_label("E-mail").fill("viewer@example.org")
    admin.get_by_label("Tell a first password").check()
    admin.get_by_role("textbox", name="First password").fill("short")
    admin.get_by_role("button", name="Add user").click()
    expect(admin.locator(".field.wrong")).to_have_count(2)
    assert faults(admin) == []
    expect(admin.get_by_label("E-mail")).to_have_attribute("aria-invalid", "true")
    admin.locator(".field.wrong").get_by_role("link", name="Go there").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Joan viewer")
    complaints.clear()  # the answer 422


def test_a_file_is_mended_on_the_page_and_entered(busy_shop: Shop, admin: Page, tmp_path: Path) -> None:
    before = Spend.objects.count()
    file = tmp_path / "spend.csv"
    file.write_text("day;channel;amount\n01.02.2024;print;1234,50\n02/02/2024;print;much\n")
    admin.goto(f"{busy_shop.url}/spend/file/")
    admin.get_by_label("CSV file").set_input_files(str(file))
    admin.get_by_role("button", name="Check it").click()
    expect(admin.get_by_text("1 faulty")).to_be_visible()
    expect(admin.locator("td .error")).to_have_count(2)
    assert faults(admin) == []
    lines = admin.get_by_role("textbox", name="Lines")
    lines.fill(lines.input_value().replace("02/02/2024;print;much", "02.02.2024;print;7"))
    admin.get_by_role("button", name="Check it").click()
    expect(admin.get_by_text("2 new")).to_be_visible()
    assert Spend.objects.count() == before
    admin.get_by_role("button", name="Enter all lines").click()
    expect(admin.get_by_text("2 entries are new")).to_be_visible()
    assert Spend.objects.count() == before + 2


def test_the_look_of_the_account_counts_until_this_browser_chooses(busy_shop: Shop, admin: Page) -> None:
    def shade() -> str:
        return str(admin.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    admin.emulate_media(color_scheme="light")
    admin.goto(f"{busy_shop.url}/account/?still=1")
    light = shade()
    admin.get_by_role("radio", name="Dark").check()
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_text("Saved.")).to_be_visible()
    dark = shade()
    assert dark != light
    admin.get_by_role("button", name="Switch to the light theme").click()
    admin.reload()
    assert shade() == light
    admin.goto(f"{busy_shop.url}/api/v1/docs/")
    expect(admin.locator("html")).not_to_have_class(re.compile("dark-mode"))
    admin.get_by_role("button", name="Switch to the dark theme").click()
    expect(admin.locator("html")).to_have_class(re.compile("dark-mode"))
    admin.get_by_role("link", name="Back to CLM").click()
    assert shade() == dark
    User.objects.filter(role=Role.ADMIN).update(theme="")


def test_a_merge_is_looked_at_done_and_undone(busy_shop: Shop, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("agent")
    first, second = busy_shop.customer("1020"), busy_shop.customer("1026")
    page.goto(f"{busy_shop.url}/customers/{first.pk}/")
    page.locator(".customer-head").get_by_role("link", name="Merge").click()
    page.get_by_role("searchbox").fill(f"{second.pk}")
    page.keyboard.press("Enter")
    page.get_by_role("link", name=re.compile("^Compare")).first.click()
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    page.get_by_label("Why they are one person").fill("Called and said so.")
    page.get_by_role("button", name="Merge them").click()
    expect(page.get_by_text("They are one customer now.")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("link", name=re.compile("^Undo")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Undo the merge")
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_text("They are two customers again")).to_be_visible()


@pytest.mark.parametrize("path", ["/campaigns/", "/spend/", "/users/", "/keys/"])
def test_without_scripts_everything_is_still_reached(path: str, busy_shop: Shop, admin: Page) -> None:
    context = admin.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    context.add_cookies(admin.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{busy_shop.url}{path}")
    page.locator("main .page-head a.primary").click()
    page.locator("main form button[type=submit].primary").click()
    expect(page.locator("main .field.wrong, main [role=alert]").first).to_be_visible()
    context.close()

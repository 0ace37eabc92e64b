"""A small shop to look at, people of every role, and a browser that is already signed in.

Shop and server live as long as a module: emptying the database after every test would cost more than the tests."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, Response, expect
from pytest_django.live_server_helper import LiveServer

from analytics import stage_rules
from campaigns.experiments import create_experiment, start_experiment, work_on_experiments
from campaigns.models import Experiment
from clm.lib.access.models import Role, User
from customers import catalogue
from customers.events import Event, Line
from customers.ingest import ingest
from customers.models import Account, Affiliation, Cause, Customer, Installation, Source
from lifecycle.advance import advance
from lifecycle.install import install
from lifecycle.models import Revision
from lifecycle.revise import discard
from tests.databases import empty

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SignIn = Callable[[str], Page]
# How pages are looked at: wide in light colours, and as on a telephone at night.
MODES: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1280), ("dark", 390))
NAMES = ["Amelia Novak", "Kenji Watanabe", "Priya Raman", "Luís Ferreira", "Sara Lindqvist", "Zoë O’Neill"]


@dataclass
class Shop:
    """What the tests look at: where it is served, its orders' source, and its users by role."""

    url: str
    source: Source
    now: dt.datetime
    people: dict[str, User] = field(default_factory=dict)
    account: int = 0

    def customer(self, external_id: str) -> Customer:
        return Customer.objects.get(profiles__identities__kind="external_id", profiles__identities__value=external_id)

    def client(self, role: str) -> Client:
        """A client without a browser, in which whoever has that role is signed in."""
        client = Client()
        client.force_login(self.people[role])
        return client

    def tell(self, events: list[Event]) -> None:
        """Bring events in and every customer up to date."""
        ingest(source=self.source, events=events, cause=Cause.IMPORT)
        while advance().customers:
            pass

    def order(self, person: str, days_ago: float, *, amount: int = 4_500, **more: Any) -> Event:
        """An order of one line; the same person and day are the same message."""
        ref = f"{person}-{days_ago:g}"
        return Event(
            message_id=ref,
            identities=(("external_id", person), ("email", f"customer{int(person) - 1000}@example.org")),
            type="Order Completed",
            channel="web",
            occurred_at=self.now - dt.timedelta(days=days_ago),
            amount=amount,
            order_ref=ref,
            lines=(Line(product="85123A", quantity=Decimal(3), amount=amount, description="White hanging heart"),),
            **more,
        )


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database for a whole module, emptied after it. It has the name of pytest-django's own fixture because
    that name is what makes pytest-django create a test database at all."""
    with django_db_blocker.unblock():
        # What follows empties the database, so it had better be the one made for tests.
        assert connection.settings_dict["NAME"].startswith(connection.settings_dict["TEST"]["NAME"])
        yield
        empty()
        catalogue.forget()
        stage_rules.forget()
        cache.clear()
        # Under Playwright tests run in a context of their own, and so with a connection of their own, which whoever
        # drops the database does not know of.
        connection.close()


@pytest.fixture(scope="module")
def empty_installation(db: None) -> Iterator[str]:
    """The address of a server on a database that holds users of every role and nothing else."""
    cache.clear()
    catalogue.forget()
    Installation.objects.update_or_create(id=1, defaults={"currency": "GBP", "time_zone": "Europe/London"})
    install(now=timezone.now())
    for role in Role.values:
        User.objects.create_user(
            f"{role}@example.org", "a-long-enough-word", role=role, name=f"Joan {role}", time_zone="Europe/London"
        )
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def shop(empty_installation: str) -> Shop:
    """120 customers who bought on one to six days within a year; external ids 1000 to 1119."""
    source = Source.objects.create(key="online-retail", name="Online Retail", kind="file", shift_days=7 * 780)
    made = Shop(empty_installation, source, timezone.now(), {user.role: user for user in User.objects.all()})
    events = []
    for n in range(120):
        person = str(1000 + n)
        traits = {"name": f"{NAMES[n % len(NAMES)]} {n}", "email": f"customer{n}@example.org"}
        first = 5 + (n * 37) % 330
        for at in range(1 + n % 6):
            day = first - at * (first // 6)
            events.append(made.order(person, day, amount=2_000 + 130 * n, traits={} if at else traits))
    made.tell(events)
    made.account = _account(made)
    return made


def _account(shop: Shop) -> int:
    """An organisation of three of them, one of whom has left it, and money that waits for a rate; its id."""
    made = Account.objects.create(key="acme", name="Acme Ltd", properties={"plan": "team", "employees": 40})
    for number, person in enumerate(("1005", "1011", "1017")):
        since = shop.now - dt.timedelta(days=100 + number)
        until = shop.now - dt.timedelta(days=3) if number == 2 else None
        profile = shop.customer(person).profiles.get()
        Affiliation.objects.create(profile=profile, account=made, from_at=since, until_at=until)
    return int(made.pk)


@pytest.fixture
def sign_in(empty_installation: str, page_without_errors: Page) -> SignIn:
    """`sign_in("agent")`: the browser's page, with that role's session."""

    def enter(role: str) -> Page:
        client = Client()
        client.force_login(User.objects.get(role=role))
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": empty_installation}
        page_without_errors.context.add_cookies([cookie])
        return page_without_errors

    return enter


@pytest.fixture
def agent(sign_in: SignIn) -> Page:
    """A browser in which an agent is signed in."""
    return sign_in("agent")


@pytest.fixture
def marketer(sign_in: SignIn) -> Page:
    """A browser in which a marketer is signed in."""
    return sign_in("marketer")


@pytest.fixture
def viewer(shop: Shop) -> Client:
    """No browser: pages as a viewer is sent them."""
    return shop.client("viewer")


@pytest.fixture
def nothing_left_drafted(db: None) -> Iterator[None]:
    """Whatever a test drafted and did not publish is discarded after it."""
    yield
    for revision in Revision.objects.filter(published_at=None):
        discard(revision=revision.pk)


def counted(page: str) -> int:
    """How many customers the page of a list says it holds."""
    found = re.search(r'<b class="num">([\d,]+)</b> customer', page)
    assert found is not None
    return int(found[1].replace(",", ""))


def look(page: Page, address: str) -> Response:
    """Go there, and wait until fonts and charts are drawn."""
    response = page.goto(address)
    page.evaluate("document.fonts.ready")
    expect(page.locator("[data-chart]:not([data-drawn])")).to_have_count(0)
    assert response is not None
    return response


def faults(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and good practice on the page as it is shown now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    # Every rule is tried on every element; only how each that passes would be found again is not written down, which
    # takes a third of the time.
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'],"
        " rules: {'target-size': {enabled: true}}}).then(found => found.violations.map("
        "one => [one.id, one.nodes.slice(0, 4).map(node => node.target)]))",
        RULES,
    )
    return [f"{name}: {targets}" for name, targets in found]


def overflow(page: Page) -> bool:
    """Whether the page can be pushed sideways."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def running_experiment() -> str:
    """The key of one that everybody takes part in."""
    if not Experiment.objects.filter(key="bow").exists():
        metrics = [{"kind": "conversion", "days": 7}, {"kind": "revenue", "days": 7}]
        variants = [("control", 1), ("bow", 1)]
        made = create_experiment(key="bow", name="A bow", variants=variants, metrics=metrics, planned=100)
        start_experiment(experiment=made, now=timezone.now())
        work_on_experiments(seconds=60)
    return "bow"

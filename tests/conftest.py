"""What every test may use: the real database, commands run as processes of their own, and a browser page that fails
its test when the browser complains."""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Error, Page
from pytest_django import DjangoDbBlocker

from clm.bootstrap import CHROMIUM_HELP, find_chromium
from customers import catalogue
from tests.databases import empty, template
from tests.lasting import SOAKING
from tests.order import in_order

PROJECT = Path(__file__).resolve().parent.parent

# Playwright's synchronous interface keeps an event loop in the test's thread; Django's guard takes that for a mistake.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# `make test` repeats exactly; `make soak` looks for what it has not met yet.
hypothesis_settings.register_profile("test", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis_settings.register_profile("soak", deadline=None, database=None, print_blob=True)
hypothesis_settings.load_profile("soak" if SOAKING else "test")

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    written = {item: place for place, item in enumerate(items)}
    yield
    items[:] = in_order(items, written)


def pytest_collection_finish() -> None:
    """What the suite itself consists of stays until the end; the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many more as there are cores: a test waits for its database, its browser or its processes as long as it
    computes itself."""
    return len(os.sched_getaffinity(0)) * 3 // 2 if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- The database --------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database is a copy of one that was migrated before. A server of somebody's own is given nothing that
    stays there, so there it is migrated each time."""
    if settings.EMBEDDED_POSTGRES:
        with django_db_blocker.unblock():
            settings.DATABASES["default"]["TEST"]["TEMPLATE"] = template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """PostgreSQL refuses to drop a database that anybody still works in: a thread of a server that has just been
    stopped, or autovacuum on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: empty())
        yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Tests that commit empty the tables afterwards; what this process remembers of them must go too."""
    yield
    catalogue.forget()


# --- Commands as processes -----------------------------------------------------------------------------------
@pytest.fixture
def outside_env() -> dict[str, str]:
    """The environment for a process that is to work on this test's database. It sees committed rows only, so use
    it with `django_db(transaction=True)`."""
    name = str(connection.settings_dict["NAME"])
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "clm.settings", "PYTHONPATH": str(PROJECT)}
    if settings.DATABASE_URL:
        env["DATABASE_URL"] = urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}"))
    else:
        env["CLM_DATABASE"] = name
    return env


@pytest.fixture
def manage(outside_env: dict[str, str]) -> Command:
    """`manage("advance", "--once", env={...}, check=True)`: a management command in a process of its own."""

    def run(*arguments: str, env: dict[str, str] | None = None, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *arguments],
            env={**outside_env, **(env or {})},
            capture_output=True,
            text=True,
            **{"timeout": 120, **options},
        )

    return run


# --- The browser ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    chromium = find_chromium()
    if chromium is None:
        if os.environ.get("REQUIRE_BROWSER") == "0":
            pytest.skip("REQUIRE_BROWSER=0: no browser tests on this machine")
        pytest.fail(CHROMIUM_HELP, pytrace=False)
    arguments = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": chromium, "args": arguments}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    return {
        **browser_context_args,
        "viewport": {"width": 1280, "height": 800},
        "locale": "en-GB",
        "timezone_id": "Europe/Berlin",
    }


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about on `page_without_errors`; a test that provokes a complaint clears it."""
    return []


class Visitor:
    """A browser's window that one test after the other is given. To open one, to start its renderer, and to compile
    every script anew in it takes longer than most tests; so it is put back as it was instead."""

    def __init__(self, browser: Browser, arguments: dict[str, Any]) -> None:
        self._browser, self._arguments = browser, arguments
        self._opened: tuple[Page, CDPSession] | None = None

    @property
    def page(self) -> Page:
        if self._opened is None:
            context = self._browser.new_context(**self._arguments)
            context.add_init_script(
                "addEventListener('securitypolicyviolation', e =>"
                " console.error(`policy: ${e.violatedDirective} refused ${e.blockedURI}`))"
            )
            page = context.new_page()
            self._opened = page, context.new_cdp_session(page)
        return self._opened[0]

    def leave(self) -> None:
        """As if nobody had ever been here: no cookie, nothing stored or granted, no pointer over anything, the size and
        the theme that every test begins with."""
        if self._opened is None:
            return
        page, session = self._opened
        place = urlsplit(page.url)
        if place.netloc:
            origin = f"{place.scheme}://{place.netloc}"
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
            session.send("DOMStorage.clear", {"storageId": {"securityOrigin": origin, "isLocalStorage": False}})
        page.goto("about:blank")
        page.unroute_all()
        page.mouse.move(-1, -1)
        page.emulate_media(
            media="null", color_scheme="light", reduced_motion="null", forced_colors="null", contrast="null"
        )
        page.set_viewport_size(self._arguments["viewport"])
        for other in page.context.pages:
            if other != page:
                other.close()
        page.context.clear_cookies()
        page.context.clear_permissions()

    def end(self) -> None:
        """What was done cannot be put back; whoever comes next opens another window."""
        if self._opened is not None:
            self._opened[0].context.close()
        self._opened = None


@pytest.fixture(scope="session")
def visitor(browser: Browser, browser_context_args: dict) -> Iterator[Visitor]:
    made = Visitor(browser, browser_context_args)
    yield made
    made.end()


@pytest.fixture
def never_again(visitor: Visitor) -> Iterator[None]:
    """For a test that does to its page what cannot be undone, such as another clock."""
    yield
    visitor.end()


@pytest.fixture
def page_without_errors(request: pytest.FixtureRequest, visitor: Visitor, complaints: list[str]) -> Iterator[Page]:
    """A page whose test fails if anything is logged as an error, raised, or refused by the content security policy."""

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def note_raised(error: Error) -> None:
        complaints.append(f"raised: {error}")

    page = visitor.page
    page.on("console", note)
    page.on("pageerror", note_raised)
    yield page
    if request.node.rep_call.failed:
        visitor.end()  # wherever it was stopped
    else:
        visitor.leave()
        page.remove_listener("console", note)
        page.remove_listener("pageerror", note_raised)
    assert complaints == []

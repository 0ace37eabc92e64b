"""The permission table holds on every address of the program, for every method, every role and nobody: walked from the
resolver itself, so a new address without a row of the table fails here."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from clm.lib.access.middleware import OWN, PUBLIC
from clm.lib.access.models import ApiKey, Role
from clm.lib.access.table import TABLE
from customers.ingest import clock
from tests.factories import client_of, make_user

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What a place in an address is filled with: nothing of that name exists, which is told only to those who may ask.
FILLED = {"int": "987654", "path": "nothing/of that name", "str": "987654", "slug": "nothing-of-that-name"}


def walked(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        path = f"{prefix}{one.pattern}"
        if isinstance(one, URLResolver):
            yield from walked(one, path)
        else:
            yield path, one


ROUTES = [(path, one) for path, one in walked(get_resolver()) if not one.callback.__module__.startswith("allauth")]
NAMES = [path for path, _one in ROUTES]


def needed(view: Any, method: str) -> str | None:
    """The permission a view declares for a method, None where it has no such method; a missing row fails."""
    holder = getattr(view, "cls", view)
    if holder is not view and not hasattr(holder, method.lower()):
        return None
    declared = getattr(holder, "permission_needed", None)
    if isinstance(declared, dict):
        assert set(declared) == {name for name in METHODS if hasattr(holder, name.lower())}, holder
        declared = declared[method]
    assert declared in TABLE, f"{holder} declares no permission of the table for {method}: {declared!r}"
    return str(declared)


def address(path: str, one: URLPattern) -> str:
    filled = "/" + path
    for name, converter in one.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        filled = filled.replace(f"<{kind}:{name}>", FILLED[kind])
    assert "<" not in filled, filled
    return filled


@pytest.fixture
def callers(installed_once: None, db: None) -> dict[str, Client]:
    made = {role.value: client_of(role) for role in Role}
    key, secret = ApiKey.issue(name="revoked", role=Role.ADMIN)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=clock())
    return {**made, "nobody": Client(), "revoked": Client(headers={"Authorization": f"Bearer {secret}"})}


@pytest.fixture
def people(installed_once: None, db: None) -> dict[str, Client]:
    browsers = {role.value: Client() for role in Role}
    for role, browser in browsers.items():
        browser.force_login(make_user(role))
    return browsers


@pytest.mark.parametrize(("path", "one"), ROUTES, ids=NAMES)
def test_a_key_may_do_what_its_role_may_and_nothing_else(
    path: str, one: URLPattern, callers: dict[str, Client]
) -> None:
    if one.name in PUBLIC | OWN:
        return  # see below
    if not path.startswith("api/"):  # pages know people only
        needed(one.callback, "GET")
        for caller in ("nobody", "revoked", "admin"):
            answer = callers[caller].get(address(path, one))
            assert answer.status_code == 302, caller
            assert answer["Location"].startswith("/account/login/"), caller
        return
    for method in METHODS:
        permission = needed(one.callback, method)
        for caller, client in callers.items():
            answer = client.generic(method, address(path, one), "{}", "application/json")
            said = f"{method} /{path} by {caller}: {answer.status_code}"
            if caller in ("nobody", "revoked"):
                assert answer.status_code == 401, said
            elif permission is None:  # there is no such method, which is told to those who may use another one
                assert answer.status_code in (403, 405), said
            elif caller in {role.value for role in TABLE[permission][0]}:
                assert answer.status_code not in (401, 403), said
                assert answer.status_code < 500, said
            else:
                assert answer.status_code == 403, said
            if answer.status_code >= 400:
                assert answer["Content-Type"] == "application/problem+json", said


@pytest.mark.parametrize(("path", "one"), ROUTES, ids=NAMES)
def test_a_login_may_do_what_its_role_may_and_nothing_else(
    path: str, one: URLPattern, people: dict[str, Client]
) -> None:
    if one.name in PUBLIC | OWN:
        return
    for method in METHODS if path.startswith("api/") else METHODS[:2]:
        permission = needed(one.callback, method)
        if permission is None:
            continue  # see above
        for role, browser in people.items():
            answer = browser.generic(method, address(path, one), "{}", "application/json")
            said = f"{method} /{path} by {role}: {answer.status_code}"
            if Role(role) in TABLE[permission][0]:
                assert answer.status_code not in (401, 403), said
                assert answer.status_code < 500, said
            else:
                assert answer.status_code == 403, said


@pytest.mark.parametrize("name", sorted(PUBLIC - {"healthz", "readyz"} | OWN))
def test_pages_of_signing_in_open_to_nobody_or_to_oneself_as_they_are_meant_to(name: str, people: Any) -> None:
    (path,) = [path for path, one in walked(get_resolver()) if one.name == name] or [None]
    if path is None or "(?P" in path:
        return  # its address carries a secret of its own
    for browser in (Client(), *people.values()):
        answer = browser.get("/" + path)
        assert answer.status_code < 500
        if name in OWN and browser.session.get("_auth_user_id") is None:
            assert answer["Location"].startswith("/account/login/")
        else:
            assert answer.status_code != 403


def test_every_row_of_the_table_opens_some_address() -> None:
    used = {needed(one.callback, method) for _path, one in ROUTES if one.name not in PUBLIC | OWN for method in METHODS}
    assert TABLE.keys() - used == set()


def test_everything_that_changes_something_honours_an_idempotency_key() -> None:
    asks_only = {"api_rules_evaluate", "api_rules_estimate", "api_segments_preview", "api_stage_model_preview"}
    for path, one in ROUTES:
        view = getattr(one.callback, "cls", None)
        for method in ("post", "put", "patch", "delete"):
            if view is not None and path.startswith("api/") and hasattr(view, method) and one.name not in asks_only:
                assert getattr(getattr(view, method), "is_act", False), f"{method} {path} is not declared an act"


@pytest.mark.parametrize("address", ["email/", "confirm-email/", "login/code/confirm/"])
def test_pages_of_accounts_that_are_not_offered_are_not_there(people: dict[str, Client], address: str) -> None:
    answered = {role: browser.get(f"/account/{address}").status_code for role, browser in people.items()}
    assert answered == dict.fromkeys(Role.values, 404)

"""The API describes itself completely, and the program says how it is."""

import io
import json
import logging
import re

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS

from clm.celery import app
from clm.lib.access.models import User
from customers.ingest import clock
from lifecycle.models import Fault
from tests.api.test_every_route import ROUTES
from tests.factories import client_of

pytestmark = pytest.mark.django_db


def test_the_description_is_complete_and_valid() -> None:
    GENERATOR_STATS.reset()
    out, complaints = io.StringIO(), io.StringIO()
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out, stderr=complaints
    )
    assert complaints.getvalue() == ""
    described = json.loads(out.getvalue())
    addresses = {
        "/" + re.sub("<[a-z]+:([a-z_]+)>", r"{\1}", path)
        for path, _one in ROUTES
        if path.startswith("api/v1/") and not path.endswith(("schema/", "docs/"))
    }
    assert set(described["paths"]) == addresses
    operations = [one for path in described["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    for one in operations:
        assert one["summary"]
        assert "401" in one["responses"]
        assert one["security"]


def test_the_documents_are_served_to_those_who_may_log_in() -> None:
    api = client_of("viewer")
    assert api.get("/api/v1/schema/").status_code == 200
    page = api.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"<style" not in page.content
    assert b"swagger-ui-bundle.js" in page.content
    script = api.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert client_of(None).get("/api/v1/schema/").status_code == 401


def test_it_says_that_it_is_alive_and_ready() -> None:
    if settings.EMBEDDED_VALKEY:
        from clm.embedded.installation import installation  # with external servers this must not be imported

        installation.ensure_valkey()
    assert Client().get("/healthz").content == b"ok\n"
    answer = Client().get("/readyz")
    # Nothing ticks beside a test; what the other parts say when they are broken: tests/house/test_containers_run.py.
    quiet = {"tick": "not seen yet", "worker": "not seen yet"}
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "ready": True,
            "broken": ["tick", "worker"],
            "parts": {
                "database": "ok",
                "migrations": "ok",
                "advance": "ok",
                "broker": "ok",
                "figures": "ok",
                "disk": "ok",
                **quiet,
            },
        },
    )
    assert Client().post("/healthz").status_code == 405


def test_without_a_broker_it_is_ready_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["broker"]) == (200, "cannot be reached")


def test_a_fault_of_the_programs_own_is_told_to_those_who_watch_and_shown_to_the_admin() -> None:
    now = clock()
    Fault.objects.create(
        trouble="KeyError in load.py, line 7", error="KeyError: 'x'", first_at=now, last_at=now, retry_at=now
    )
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["parts"]["advance"] == "fails for every customer; the System page says how"
    client = Client()
    client.force_login(User.objects.create_user("admin@example.org", role="admin"))
    assert "KeyError in load.py, line 7" in client.get("/system/").content.decode()


def test_a_missing_migration_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clm.health._broker", lambda: "ok")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["migrations"]) == (503, "1 not applied")


@pytest.mark.parametrize(("role", "path", "status"), [("viewer", "/system/", 403), ("admin", "/nothing/anna/", 404)])
def test_an_ordinary_refusal_is_no_line_of_the_log(role: str, path: str, status: int) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    client = Client()
    client.force_login(User.objects.create_user(f"{role}@example.org", role=role))
    logging.getLogger("django.request").addHandler(handler)
    try:
        assert client.get(path).status_code == status
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert written.getvalue() == ""

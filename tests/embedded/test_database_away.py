"""While the database is away, pages and the API say so, and afterwards they work again by themselves."""

import json
from urllib.parse import quote

import psycopg2
import pytest
from django.db import DataError, InterfaceError, OperationalError, ProgrammingError, connection

from clm.embedded.servers import Embedded
from clm.lib.database_away import is_away
from tests.embedded.test_surroundings import program

ASK = """
import json, sys, logging, django
django.setup()
from pathlib import Path
from django.core.management import call_command
from django.db import close_old_connections
from django.test import Client
from clm.embedded.servers import Embedded
from clm.lib.access.models import ApiKey, User

call_command("prepare", leave_out=["models"], stdout=sys.stderr)
person = Client(raise_request_exception=False)
person.force_login(User.objects.get())
_key, secret = ApiKey.issue(name="n", role="admin")
machine = Client(raise_request_exception=False, headers={"authorization": f"Bearer {secret}"})
nobody = Client(raise_request_exception=False)

def asked():
    close_old_connections()  # as a server does before each request, and this client does not
    paths = ("/", "/customers/", "/customers/1/", "/system/", "/no/such/", "/search")
    answers = {path: person.get(path) for path in paths}
    answers["form"] = person.post("/customers/new/", {"name": "Anna"})
    answers["login"] = nobody.post("/account/login/", {"login": "a@example.org", "password": "x"})
    answers["api"] = machine.get("/api/v1/customers/")
    answers["api write"] = machine.post("/api/v1/customers/", {"name": "Anna"}, "application/json")
    return {name: told(answer) for name, answer in answers.items()}

def told(answer):
    headers = answer.headers
    return [answer.status_code, headers.get("Retry-After"), headers["Content-Type"], answer.content.decode()]

servers = Embedded(Path(sys.argv[1]), fast=True)
before = asked()
servers.stop(force=True)
away = asked()
servers.ensure_postgres()
print(json.dumps([before, away, asked()]))
"""
# These may be answered without asking the database.
WITHOUT_IT = {"/no/such/": 404, "/search": 301}


def test_pages_and_the_api_say_that_the_database_is_away_until_it_is_back(embedded: Embedded) -> None:
    embedded.ensure_postgres()
    address = f"postgres://postgres@{quote(str(embedded.places.sockets), safe='')}/postgres"
    env = {"DATABASE_URL": address, "REDIS_URL": "redis://127.0.0.1:1/0", "ALLOWED_HOSTS": "testserver"}
    env |= {"DJANGO_SETTINGS_MODULE": "tests.settings"}  # for static files that nobody has collected
    data = embedded.places.data
    done = program(data.parent / "web", "-c", ASK, str(data), SECRET_KEY="x" * 50, LOG_LEVEL="WARNING", **env)
    assert done.returncode == 0, done.stderr
    before, away, after = json.loads(done.stdout.splitlines()[-1])
    assert {name: told[0] for name, told in before.items()} == {name: told[0] for name, told in after.items()}
    assert max(told[0] for told in before.values()) < 500
    for name, (status, retry, kind, body) in away.items():
        if name in WITHOUT_IT:
            assert status in (WITHOUT_IT[name], 503), name
            continue
        assert (status, retry) == (503, "5"), name
        if name.startswith("api"):
            assert kind == "application/problem+json"
            assert "database does not answer" in json.loads(body)["detail"]
        else:
            assert "The database does not answer" in body and "<h1>" in body
    # One line each, without a traceback that would blame the program.
    assert "Traceback" not in done.stderr
    assert "Service Unavailable: GET /customers/" in done.stderr


class SaidError(Exception):
    def __init__(self, state: str | None) -> None:
        super().__init__(state)
        self.pgcode = state


@pytest.mark.parametrize(
    ("state", "away"),
    [(None, True), ("57P01", True), ("08006", True), ("53300", True), ("40P01", False), ("57014", False)],
)
def test_what_postgresql_says_by_itself_is_told_apart_from_its_silence(state: str | None, away: bool) -> None:
    error = OperationalError("x")
    error.__cause__ = SaidError(state)
    assert is_away(error) is away


def test_a_connection_that_breaks_while_an_answer_is_on_its_way_is_no_fault_of_what_was_asked() -> None:
    """psycopg2 raises the bare class for what libpq says by itself, without a SQLSTATE."""
    with pytest.raises(OperationalError) as told, connection.wrap_database_errors:
        raise psycopg2.DatabaseError("server closed the connection unexpectedly")
    assert is_away(told.value)
    assert connection.errors_occurred  # so it is looked at before the next request uses it
    connection.errors_occurred = False
    with pytest.raises(DataError), connection.wrap_database_errors:
        raise psycopg2.DataError("invalid input syntax")


def test_other_errors_of_the_database_are_faults_of_ours() -> None:
    assert is_away(InterfaceError("connection already closed"))
    assert not is_away(InterfaceError("cursor already closed"))
    assert not is_away(ProgrammingError("relation does not exist"))
    assert not is_away(KeyError("x"))
    assert not is_away(None)

"""A log line says what happened and never who somebody is; what helps to mend a fault is kept."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.utils import DatabaseError
from django.test import Client
from structlog.contextvars import bound_contextvars

from clm.lib.log_lines import JsonLine, PlainLine, masked, without_values

PERSON = "anna@example.org"


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLine())
        self.told: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(json.loads(self.format(record)))


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    handler = Lines()
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield handler.told
    root.removeHandler(handler)
    root.setLevel(level)


def raised(act: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as caught:
        act()
    return caught.value


def test_a_line_is_one_line_of_json_with_what_was_told_beside_it(lines):
    with bound_contextvars(request_id="abc"):
        logging.getLogger("lifecycle.advance").warning("%d waited\nlong", 3, extra={"fields": {"ms": 1.5}})
    (told,) = lines
    assert told.pop("at").endswith("+00:00")
    assert told == {
        "level": "warning",
        "logger": "lifecycle.advance",
        "event": "3 waited\nlong",
        "request_id": "abc",
        "ms": 1.5,
    }


def test_a_plain_line_says_the_same_to_people():
    record = logging.LogRecord("clm.x", logging.INFO, "", 0, "it is %s", ("done",), None)
    with bound_contextvars(task="advance"):
        line = PlainLine().format(record)
    assert line.endswith("INFO    clm.x: it is done task=advance")


@pytest.mark.parametrize(
    "text",
    [
        f"Invalid HTTP request line: 'GET /?email={PERSON}'",
        f"Not Found: /customers/?search={PERSON}",
        f"mail to <{PERSON}> failed",
        'invalid input syntax for type integer: "Anna Schmidt anna@example.org"',
    ],
)
def test_addresses_and_queries_and_what_others_quote_are_masked(text):
    assert "anna" not in masked(text).lower()
    assert masked(text)[:4] == text[:4]


@pytest.mark.django_db
def test_what_postgresql_says_keeps_the_table_and_the_rule_but_not_the_row():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE person (mail text CONSTRAINT mail_is_unique UNIQUE)")
        cursor.execute("INSERT INTO person VALUES (%s)", [PERSON])
        error = raised(lambda: cursor.execute("INSERT INTO person VALUES (%s)", [PERSON]))
    assert isinstance(error, DatabaseError)
    assert PERSON in str(error)
    said = without_values(error)
    assert "anna" not in said
    assert "[23505 person mail_is_unique]" in said
    assert "psycopg2.errors.UniqueViolation: duplicate key value violates unique constraint" in said
    assert "test_log_lines.py" in said and "The above caused" in said


def test_what_python_says_keeps_the_frames_and_the_class():
    error = raised(lambda: {"a": 1}[PERSON])
    said = without_values(error)
    assert "builtins.KeyError: '…'" in said
    assert PERSON not in said
    assert "line" in said and "<lambda>" in said


def test_an_exception_that_refers_to_itself_ends():
    error = ValueError("one")
    error.__context__ = TypeError("two")
    error.__context__.__context__ = error
    assert without_values(error).count("Traceback") == 2


@pytest.mark.django_db
def test_a_page_that_breaks_is_logged_with_its_route_and_its_frames_but_without_what_was_typed(lines, monkeypatch):
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot greet '{PERSON}'")

    monkeypatch.setattr("clm.lib.request_log.settings.CLM_LOG_REQUESTS", True, raising=False)
    monkeypatch.setattr("allauth.account.views.LoginView.get_context_data", breaks)
    client = Client(raise_request_exception=False)
    answer = client.get(f"/account/login/?next=/{PERSON}", headers={"X-Request-ID": "given-by-the-proxy"})
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] == "given-by-the-proxy"
    assert PERSON not in json.dumps(lines)
    fault, request = (next(line for line in lines if line["level"] == level) for level in ("error", "info"))
    assert fault["event"] == "Internal Server Error: GET /account/login/"
    assert "builtins.RuntimeError: cannot greet '…'" in fault["exception"]
    assert {fault["request_id"], request["request_id"]} == {"given-by-the-proxy"}
    assert (request["route"], request["status"]) == ("/account/login/", 500)

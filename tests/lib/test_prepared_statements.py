"""Statements that a session keeps: read and planned once in a while, whatever becomes of transaction or session."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from clm.lib import sql

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "customers/trait_tellings"
PREPARED = sorted(
    {
        name
        for app in ("clm", "customers", "lifecycle", "campaigns", "analytics")
        for path in (settings.BASE_DIR / app).rglob("*.py")
        for name in re.findall(r'prepared_rows\(\s*"([a-z_]+/[a-z_]+)"', path.read_text())
    }
)


def asked() -> None:
    assert sql.prepared_rows(NAME, profiles=[1, 2], keys=["a", "b'"]) == []


def kept() -> list[tuple[str, object]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, prepare_time FROM pg_prepared_statements WHERE name = 'customers_trait_tellings'")
        return cursor.fetchall()


def test_some_statements_are_kept() -> None:
    assert "customers/touchpoints_add" in PREPARED


@pytest.mark.parametrize("name", PREPARED)
def test_each_of_their_parameters_says_of_what_type_it_is(name: str) -> None:
    text = sql.query(name)
    bare = re.findall(r"%\((\w+)\)s(?!::[a-z])", "\n".join(x for x in text.splitlines() if not x.startswith("--")))
    assert bare == []


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", []),
        (
            "text",
            ["", "NULL", "null", "{}", "a,b", 'say "x"', "back\\slash", '\\"', "'", "line\nend\r", "tab\t", "Zoë 王"],
        ),
        ("text", ["plain", "more"]),
        ("bigint", [1, -2, 2**63 - 1]),
        ("timestamptz", [datetime(2025, 3, 30, 1, 0, 0, 7, UTC), datetime(1990, 1, 1, tzinfo=UTC)]),
        ("bigint", [1, None]),
        ("text", ["a", None, "NULL", "", '"', "\\"]),
        ("text", [None, None]),
        ("boolean", [True, False, None]),
        ("numeric", [Decimal("1E+2"), Decimal("-0.0001"), None]),
    ],
)
def test_an_array_is_told_as_one_text_and_says_what_the_list_says(kind: str, values: list[object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[], %s::{kind}[]", [sql.array(values), values])
        told, listed = cursor.fetchone()
    assert told == listed == values
    assert isinstance(sql.array(values), str) == (values != [None, None])


def test_values_of_several_kinds_are_left_to_the_driver() -> None:
    assert sql.array([1, Decimal(1)]) == [1, Decimal(1)]


def test_a_session_reads_a_statement_once_and_anew_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction.atomic():
        asked()
        first = kept()
        asked()
        assert kept() == first and len(first) == 1
        monkeypatch.setattr(sql, "REPLAN_SECONDS", -1.0)
        asked()
        assert len(kept()) == 1 and kept() != first


def test_a_statement_outlives_the_transaction_that_first_asked_it() -> None:
    with transaction.atomic():
        asked()
        transaction.set_rollback(True)
    with transaction.atomic():
        asked()
    assert len(kept()) == 1


def test_another_session_reads_it_for_itself() -> None:
    with transaction.atomic():
        asked()
    connection.close()
    assert kept() == []
    with transaction.atomic():
        asked()
    assert len(kept()) == 1


def test_whoever_finds_it_swept_away_reads_it_again_in_the_next_transaction() -> None:
    with transaction.atomic():
        asked()
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(OperationalError), transaction.atomic():
        asked()
    with transaction.atomic():
        asked()
    assert len(kept()) == 1


def test_it_is_planned_for_any_values_at_once() -> None:
    """Not five times for these very ones first, as PostgreSQL would."""
    connection.close()
    with transaction.atomic(), connection.cursor() as cursor:
        asked()
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'customers_trait_tellings'"
        )
        assert cursor.fetchall() == [(1, 0)]

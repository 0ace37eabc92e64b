"""No page of one customer, and none that shows a part of a list, reads a large table whole: at a million customers that
takes seconds where an index takes a millisecond. What the planner may do is asked of it, so the size of the test's
population does not matter."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.pages.conftest import Shop

# A row or more for every customer.
LARGE = (
    "lifecycle_transition",
    "lifecycle_standing",
    "customers_touchpoint",
    "customers_identity",
    "customers_profile",
    "customers_trait",
    "customers_traittelling",
    "customers_merge",
)
PAGES = (
    "/customers/{customer}/",
    "/customers/{customer}/?as_of=2026-01-05",
    "/customers/{customer}/?known_at=2026-01-05",
    "/customers/{customer}/timeline/",
    "/customers/?stage=retention",
    "/customers/?search=novak",
)
SCANNED = re.compile(r"(?<!Index )(?<!Only )\bSeq Scan on (?:ONLY )?(\w+)")


def scanned(sql: str) -> set[str]:
    """The large tables that a statement cannot but read from end to end."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql.replace("%", "%%"), [])
        plan = "\n".join(str(row[0]) for row in cursor.fetchall())
    return {table for table in SCANNED.findall(plan) if table.startswith(LARGE)}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_no_large_table_from_end_to_end(path: str, shop: Shop) -> None:
    client = shop.client("viewer")
    with CaptureQueriesContext(connection) as made:
        assert client.get(path.format(customer=shop.customer("1005").pk)).status_code == 200
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
    try:
        for query in made:
            sql = query["sql"]
            if re.match(r"\s*(--[^\n]*\n\s*)*(SELECT|WITH)\b", sql) and (tables := scanned(sql)):
                found[sql[:400]] = tables
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET enable_seqscan")
    assert found == {}

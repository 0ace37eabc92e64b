import re
from pathlib import Path

from customers.line_account import REASONS
from customers.order_mapping import NEEDED_COLUMNS, OPTIONAL_COLUMNS, OrderMapping

PROJECT = Path(__file__).resolve().parents[2]
MANUAL = (PROJECT / "docs" / "importing-orders.md").read_text()


def first_cells(text: str) -> set[str]:
    return {
        name for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }


def test_the_manual_names_every_reason_and_no_other():
    reasons = MANUAL[MANUAL.index("| reason |") : MANUAL.index("Lines read =")]
    assert first_cells(reasons) == set(REASONS)


def test_the_manual_names_every_field_of_a_mapping_and_no_other():
    fields = set(OrderMapping.load("online_retail").document) - {"source", "columns"} | {"missing_customers"}
    fields |= {"source.key", "source.name"}
    fields |= {f"columns.{column}" for column in (*NEEDED_COLUMNS, *OPTIONAL_COLUMNS)}
    table = MANUAL[MANUAL.index("| field |") : MANUAL.index("## What becomes")]
    assert first_cells(table) == fields

import json
import re
from pathlib import Path

from analytics.demo import SHOP
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


def test_the_mapping_in_the_readme_can_be_used_as_it_stands():
    blocks = re.findall(r"```json\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)
    mappings = [json.loads(block) for block in blocks if '"columns"' in block]
    assert mappings
    for document in mappings:
        # A newcomer tries it on the demo, which knows no exchange rates.
        assert OrderMapping.from_document(document).currency == SHOP["currency"]

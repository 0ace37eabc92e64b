import re
from pathlib import Path

from analytics.pages.imports import SAMPLE
from customers.importing.mapping import USES
from customers.importing.presets import presets
from customers.line_account import REASONS
from customers.order_mapping import NEEDED_COLUMNS, OPTIONAL_COLUMNS, ORDER_COLUMNS, OrderMapping

PROJECT = Path(__file__).resolve().parents[2]
MANUAL = (PROJECT / "docs" / "importing-orders.md").read_text()
PEOPLE = (PROJECT / "docs" / "importing.md").read_text()


def first_cells(text: str) -> set[str]:
    return {
        name for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }


def test_manuals_that_are_followed_one_after_the_other_make_different_people():
    texts = {name: (PROJECT / "docs" / name).read_text() for name in ("api.md", "ingestion.md")} | {"sample": SAMPLE}
    people = {name: set(re.findall(r"[a-z]+@example\.org", text)) for name, text in texts.items()}
    assert all(people.values())
    assert sum(map(len, people.values())) == len(set().union(*people.values())), people


def test_the_manuals_name_every_reason_and_no_other():
    orders = MANUAL[MANUAL.index("| reason |") : MANUAL.index("Lines read =")]
    people = PEOPLE[PEOPLE.index("| reason |") : PEOPLE.index("## Stopped")]
    assert first_cells(orders) | first_cells(people) == set(REASONS)
    assert not first_cells(orders) & first_cells(people)


def test_the_manual_of_people_names_every_preset_and_every_use_of_a_column():
    recognised = PEOPLE[PEOPLE.index("| preset |") : PEOPLE.index("Columns that a preset")]
    assert first_cells(recognised) == {one.key for one in presets()}
    uses = PEOPLE[PEOPLE.index("| a column is |") : PEOPLE.index("`touchpoints` is a list")]
    assert set(USES) <= first_cells(uses)


def test_the_manual_names_every_field_of_a_mapping_and_no_other():
    fields = set(OrderMapping.load("online_retail").document) - {"source", "columns"}
    fields |= {"missing_customers", "fills_down", "price_is_total", "cancelled_statuses", "kept_statuses"}
    fields |= {"consent"}
    fields |= {"source.key", "source.name"}
    fields |= {f"columns.{column}" for column in (*NEEDED_COLUMNS, *OPTIONAL_COLUMNS)}
    fields |= {f"order.{column}" for column in ORDER_COLUMNS}
    table = MANUAL[MANUAL.index("| field |") : MANUAL.index("## What becomes")]
    assert first_cells(table) == fields

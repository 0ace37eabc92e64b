import json

import pytest

from customers.mapping_fields import BadMapping
from customers.order_mapping import SHIPPED, OrderMapping


def document() -> dict:
    return json.loads((SHIPPED / "online_retail.json").read_text())


def path_of_fault(changed: object) -> str:
    with pytest.raises(BadMapping) as caught:
        OrderMapping.from_document(changed)
    assert caught.value.path in str(caught.value)
    return caught.value.path


def test_every_mapping_that_comes_along_can_be_read():
    names = [path.stem for path in SHIPPED.glob("*.json")]
    assert "online_retail" in names
    for name in names:
        assert OrderMapping.load(name).document


@pytest.mark.parametrize(
    "path",
    [
        "source",
        "source.key",
        "columns",
        "columns.invoice",
        "columns.price",
        "columns.customer",
        "time_format",
        "time_zone",
        "currency",
    ],
)
def test_what_is_missing_is_named(path):
    changed = document()
    *outer, last = path.split(".")
    inside = changed
    for key in outer:
        inside = inside[key]
    del inside[last]
    assert path_of_fault(changed) == path


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("columns", []),
        ("columns.price", 3),
        ("columns.price", ""),
        ("columns.colour", "Colour"),
        ("source.key", "Online Retail"),
        ("encoding", "utf-9"),
        ("encoding", "rot13"),
        ("delimiter", ",,"),
        ("delimiter", '"'),
        ("decimal_mark", "'"),
        ("time_format", "%H:%M"),
        ("time_format", "%d.%m."),
        ("time_format", "%Q"),
        ("time_zone", "Europe/Londinium"),
        ("currency", "pound"),
        ("channel", "the shop"),
        ("identity_kind", ""),
        ("not_products", "POST"),
        ("traits", ["Country"]),
        ("traits.country", 1),
        ("prices", "net"),
    ],
)
def test_what_cannot_be_is_named(path, value):
    changed = document()
    *outer, last = path.split(".")
    inside = changed
    for key in outer:
        inside = inside[key]
    inside[last] = value
    assert path_of_fault(changed) == path


def test_an_item_that_is_not_a_text_is_named_with_its_place():
    assert path_of_fault({**document(), "not_products": ["POST", 7]}) == "not_products[1]"


def test_a_document_that_is_no_object_is_refused():
    assert path_of_fault([]) == ""


def test_a_mapping_of_ones_own_is_read_from_its_path(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**document(), "currency": "EUR"}))
    assert OrderMapping.load(str(path)).currency == "EUR"


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "\ud800"])
def test_a_mapping_that_is_no_json_says_so(tmp_path, content):
    path = tmp_path / "mine.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(BadMapping, match="cannot be read as JSON"):
        OrderMapping.load(str(path))


def test_an_unknown_name_is_told_with_those_that_come_along():
    with pytest.raises(BadMapping, match="online_retail"):
        OrderMapping.load("offline_retail")

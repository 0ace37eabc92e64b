"""What the charts' scripts are given."""

from types import SimpleNamespace as Row

from analytics.pages.charts import sankey_payload
from analytics.templatetags.stages import stage_class, stage_key

A = Row(key="a", name="A", position=1, is_exit=False)
B = Row(key="b", name="B", position=2, is_exit=False)
EXIT = Row(key="x", name="Gone quiet", position=0, is_exit=True)


def test_moves_are_ordered_by_position_new_ones_first_and_the_exit_last() -> None:
    flows = [
        Row(source=B, target=EXIT, customers=1),
        Row(source=None, target=A, customers=5),
        Row(source=A, target=B, customers=2),
    ]
    payload = sankey_payload(flows=flows, description="d")
    assert [node["name"] for node in payload["before"]] == ["New", "A", "B"]
    assert [node["name"] for node in payload["after"]] == ["A", "B", "Gone quiet"]
    assert payload["moves"] == [[2, 2, 1], [0, 0, 5], [1, 1, 2]]


def test_those_who_stayed_are_left_out() -> None:
    assert sankey_payload(flows=[Row(source=A, target=A, customers=9)], description="")["moves"] == []


def test_colours_begin_again_after_the_palette_and_the_exit_is_grey() -> None:
    assert stage_class(Row(position=13, is_exit=False)) == "stage-1"
    assert stage_key(EXIT) == "exit"
    assert stage_key(None) == "none"

"""docs/simulator.md says of every number behind the simulated people whether tests find it again, truthfully."""

import re
from dataclasses import fields
from pathlib import Path

from analytics.simulator.parameters import Parameters

PROJECT = Path(__file__).resolve().parents[2]
MANUAL = (PROJECT / "docs" / "simulator.md").read_text()
TESTS = (PROJECT / "tests" / "analytics" / "simulator" / "test_numbers.py").read_text()


def listed(beginning: str) -> set[str]:
    (text,) = re.findall(rf"^- {beginning}(.*?)(?=^- |\n\n)", MANUAL, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`(\w+)`", text))


def test_every_number_is_listed_once() -> None:
    lists = [listed("Found again, each"), listed("Found again together"), listed("Not looked for")]
    assert sum(map(len, lists)) == len(set.union(*lists))
    assert set.union(*lists) == {each.name for each in fields(Parameters)}


def test_what_is_found_again_is_what_a_test_compares_with_it() -> None:
    compared = set(re.findall(r"\bP\.(\w+)", TESTS))
    assert listed("Found again, each") == compared

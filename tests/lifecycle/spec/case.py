"""What a case of the specification is, and how its tables are read.

A case is a history as a table of text, a rule, and the spans on which the rule is true. The same data is a test
(`test_spec.py`) and a page of the manual (`docs/print_rule_language.py`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from lifecycle.rules.document import load_document
from lifecycle.rules.evaluate import (
    FOREVER,
    NO_LIFE,
    Catalogue,
    Facts,
    Listing,
    Placing,
    Program,
    PropertyColumn,
    StageRules,
    TraitColumn,
    spells,
)
from lifecycle.rules.evaluate import spans_of as evaluated
from lifecycle.rules.nodes import ROLES, Node
from lifecycle.rules.parse import parse_rule
from lifecycle.rules.presets import installed_models, installed_sub_rules
from lifecycle.rules.value_tests import OTHER

LAPSE_DAYS = 180
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OWN_COLUMNS = ("when", "role", "type", "channel", "amount")


@dataclass(frozen=True)
class Case:
    """A rule on a history. `table` has a column `when` (UTC) and any of role, type, channel, amount; every other
    column is a property, its cells JSON, empty for not set. `spans` are lines `from -> until`, or `never`.

    `traits` is a table of `when`, `trait` and `value` (JSON), in the order in which it was recorded. `segments` are the
    rules of segments (None: a static list), `models` the stages {key: rule} of models, lowest precedence first, each
    with an exit stage `left`. `by_hand` is a table of `what` (included, excluded, placed), `where` (a segment, or
    `model stage`), `from` and `until`, in the order in which it was recorded."""

    name: str
    table: str
    rule: Any
    spans: str
    zone: str = "UTC"
    life: str | None = None  # where the life starts, if not at the first touchpoint
    sub_rules: dict[str, Any] = field(default_factory=dict)
    traits: str = ""
    segments: dict[str, Any] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_hand: str = ""


@dataclass(frozen=True)
class Walk:
    """A history walked through the stage models: per model key, lines `entered stage`."""

    name: str
    table: str
    stages: dict[str, str]


@dataclass(frozen=True)
class Topic:
    title: str
    text: str
    cases: tuple[Case | Walk, ...]


def true_spans(case: Case) -> str:
    """The spans of a case in the form in which they are written down."""
    facts, catalogue = read_table(case.table, life=case.life)
    add_traits(facts, case.traits)
    add_hands(facts, case)
    node = parsed(case)
    _, starts, ends = evaluated(node, facts, zone=case.zone, catalogue=catalogue)
    lines = [f"{say(start)} -> {say(end)}" for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return "\n".join(lines) or "never"


def parsed(case: Case) -> Node:
    """The rule of a case, with what it names."""
    number = {key: place for place, key in enumerate([*case.segments, *case.models])}
    return parse_rule(
        case.rule,
        lapse_days=LAPSE_DAYS,
        sub_rules=case.sub_rules,
        segments={key: {"subject": number[key], "name": key, "rule": rule} for key, rule in case.segments.items()},
        models={
            key: {
                "subject": number[key],
                "name": key,
                "stages": [{"key": stage, "name": stage, "rule": rule} for stage, rule in stages.items()],
                "exit": {"key": "left", "name": "left"},
            }
            for key, stages in case.models.items()
        },
    )


def stages_walked(walk: Walk, key: str) -> str:
    """The spells of a walk in one model, as lines `entered stage`."""
    facts, catalogue = read_table(walk.table)
    (model,) = (model for model in installed_models() if model.key == key)
    rules = tuple(
        parse_rule(stage.rule, lapse_days=LAPSE_DAYS, sub_rules=installed_sub_rules()) for stage in model.stages
    )
    names = [*(stage.name for stage in model.stages), model.exit_name]
    (spell,) = spells(Program((StageRules(rules),), zone="UTC", catalogue=catalogue), facts)
    return "\n".join(
        f"{say(at)} {names[stage]}" for at, stage in zip(spell.at.tolist(), spell.stage.tolist(), strict=True)
    )


def dedented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


# --- tables --------------------------------------------------------------------------------------------------------
def read_table(table: str, *, life: str | None = None) -> tuple[Facts, Catalogue]:
    """One customer's touchpoints. The type of a touchpoint is its role's name where the table names none."""
    rows = table_rows(table)
    rows.sort(key=lambda row: instant(row["when"]))
    kinds = sorted({(row.get("type") or row.get("role") or "other", row.get("role") or "other") for row in rows})
    assert len({name for name, _ in kinds}) == len(kinds), "a type has one role"
    assert all(role in ROLES for _, role in kinds), kinds
    channels = sorted({row["channel"] for row in rows if row.get("channel")})
    codes = {name: code for code, (name, _) in enumerate(kinds, start=1)}
    channel_codes = {name: code for code, name in enumerate(channels, start=1)}
    at = np.array([instant(row["when"]) for row in rows], np.int64)
    begin = instant(life) if life else int(at.min(initial=NO_LIFE))
    properties = {}
    for key in {key for row in rows for key in row if key not in _OWN_COLUMNS}:
        given = [(place, load_document(row[key])) for place, row in enumerate(rows) if row[key]]
        properties[key] = PropertyColumn(
            np.array([place for place, _ in given], np.int64), [property_value(value) for _, value in given]
        )
    facts = Facts(
        life=np.array([begin], np.int64),
        owner=np.zeros(len(rows), np.int64),
        ms=at,
        type=np.array([codes[row.get("type") or row.get("role") or "other"] for row in rows], np.int32),
        channel=np.array([channel_codes.get(row.get("channel", ""), 0) for row in rows], np.int32),
        amount=np.array([minor_units(row.get("amount", "")) for row in rows], np.int64),
        properties=properties,
    )
    catalogue = Catalogue(
        types=tuple((codes[name], name, role) for name, role in kinds),
        channels=tuple((code, name) for name, code in channel_codes.items()),
    )
    return facts, catalogue


def add_traits(facts: Facts, table: str) -> None:
    """The changes of traits; the first thing known begins the life."""
    rows = sorted(table_rows(table) if table else [], key=lambda row: instant(row["when"]))
    for key in {row["trait"] for row in rows}:
        own = [row for row in rows if row["trait"] == key]
        at = np.array([instant(row["when"]) for row in own], np.int64)
        values = [property_value(load_document(row["value"])) for row in own]
        facts.traits[key] = TraitColumn(np.zeros(len(own), np.int64), at, values)
        facts.life = np.minimum(facts.life, at.min())


def add_hands(facts: Facts, case: Case) -> None:
    """What people decided, in the order in which it was recorded."""
    number = {key: place for place, key in enumerate([*case.segments, *case.models])}
    rows = table_rows(case.by_hand) if case.by_hand else []
    for what, where in {(row["what"], row["where"].split(" ")[0]) for row in rows}:
        own = [row for row in rows if (row["what"], row["where"].split(" ")[0]) == (what, where)]
        owner = np.zeros(len(own), np.int64)
        starts = np.array([instant(row["from"]) for row in own], np.int64)
        ends = np.array([instant(row["until"]) if row["until"] else FOREVER for row in own], np.int64)
        if what == "placed":
            stages = [row["where"].split(" ")[1] for row in own]
            facts.placed[number[where]] = Placing(owner, starts, ends, stages)
        else:
            listings = facts.included if what == "included" else facts.excluded
            listings[number[where]] = Listing(owner, starts, ends)


def table_rows(table: str) -> list[dict[str, str]]:
    header, *lines = ([cell.strip() for cell in line.strip().split("|")] for line in table.strip().splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


def property_value(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | Decimal):
        return value
    return Decimal(value) if isinstance(value, int) else OTHER


def minor_units(text: str) -> int:
    return int(Decimal(text or "0").scaleb(2))


def instant(text: str) -> int:
    """`2026-01-31`, `2026-01-31 09:00`, down to milliseconds, all UTC, as milliseconds since 1970."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


def say(ms: int) -> str:
    if ms == FOREVER:
        return "for ever"
    at = _EPOCH + timedelta(milliseconds=ms)
    if ms % 86_400_000 == 0:
        return at.strftime("%Y-%m-%d")
    if ms % 60_000 == 0:
        return at.strftime("%Y-%m-%d %H:%M")
    return at.strftime("%Y-%m-%d %H:%M:%S") + (f".{ms % 1000:03d}" if ms % 1000 else "")

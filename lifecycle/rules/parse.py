"""JSON documents to nodes. Everything a rule may not be is refused here, with the JSON path of the place.

Recursion is safe whatever the document: only rule nodes are descended into, and depth and number are checked before
each descent; anything else that nests is refused without looking inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any as Anything

from lifecycle.rules.document import RuleError
from lifecycle.rules.durations import DAY, parse_duration
from lifecycle.rules.json_values import (
    DECIMAL,
    child,
    count_of,
    items_of,
    joined,
    kind_of,
    name_of,
    names_of,
    refuse,
    required,
    scaled,
    ten_thousandths_of,
    text_keys,
)
from lifecycle.rules.nodes import (
    ROLES,
    All,
    Any,
    Did,
    Grew,
    Held,
    InSegment,
    InStage,
    Lately,
    Model,
    Named,
    Node,
    Not,
    OnDays,
    Pick,
    PropertyTest,
    Selector,
    Since,
    Spent,
    Test,
    Trait,
)
from lifecycle.rules.scores import refuse_no_step
from lifecycle.rules.value_tests import OPERATORS, parse_test

MOST_NODES = 200
MOST_DEPTH = 20
MOST_SELECTORS = 40

# Each head and the keys that may stand beside it.
_KEYS = {
    "all": (),
    "any": (),
    "not": (),
    "did": ("at_least", "on_days", "within"),
    "spent": ("at_least", "within"),
    "grew": ("by", "within"),
    "since": ("until",),
    "held": ("for",),
    "lately": ("within",),
    "rule": (),
    "trait": tuple(OPERATORS),
    "segment": (),
    "stage": (),
}
_RESERVED = ("in_next", "distinct", "per")
_SELECTOR_KEYS = ("role", "type", "channel", "any_activity", "where")


# What is being read at the moment, outermost first: ("rule" | "segment" | "model", its name).
Within = tuple[tuple[str, str], ...]


def parse_rule(
    document: object,
    *,
    lapse_days: int,
    sub_rules: Mapping[str, object] | None = None,
    minor_digits: int = 2,
    segments: Mapping[str, Mapping[str, Anything]] | None = None,
    models: Mapping[str, Mapping[str, Anything]] | None = None,
    of: tuple[str, str] | None = None,
    path: str = "$",
    scores: Mapping[str, int] | None = None,
) -> Node:
    """The rule in `document` (what JSON gives: dict, list, str, int, Decimal, bool).

    `lapse_days` is what `L` means, `sub_rules` the documents `{"rule": name}` may name, `minor_digits` the decimal
    places of the reporting currency. `segments` are what `{"segment": key}` may name: {"subject": number, "name",
    "rule": document, or null for a static list}; `models` what `{"stage": [key, stage]}` may: {"subject", "name",
    "stages": [{"key", "name", "rule"}, ...] lowest precedence first, "exit": {"key", "name"}}. `of` is whose rule this
    is, ("segment" | "model", key): it may not come back to itself, and a model's may not use `stage`; `path` is where
    it stands in the document people see; `scores` are those that `{"trait": "score:<name>"}` may name, with how many
    steps each has (None: any may be named). Raises RuleError."""
    if isinstance(lapse_days, bool) or not 1 <= lapse_days <= 3660:
        raise ValueError("L is a whole number of days from 1 to 3660")
    known = _Known(
        lapse=lapse_days * DAY,
        minor_digits=minor_digits,
        # Definitions may be looked up when they are named: none so far is not none.
        sub_rules={} if sub_rules is None else sub_rules,
        segments={} if segments is None else segments,
        models={} if models is None else models,
        scores=scores,
    )
    parser = _Parser(known, in_model=of is not None and of[0] == "model")
    return parser.rule(document, path=path, depth=1, within=() if of is None else (of,))


@dataclass(slots=True)
class _Known:
    """What documents may refer to, and the models read so far."""

    lapse: int
    minor_digits: int
    sub_rules: Mapping[str, object]
    segments: Mapping[str, Mapping[str, Anything]]
    models: Mapping[str, Mapping[str, Anything]]
    scores: Mapping[str, int] | None = None
    read: dict[str, Model] = field(default_factory=dict)


class _Parser:
    """One parse: how many nodes and selectors have been seen of one rule. `in_model`: it is a rule of a stage."""

    def __init__(self, known: _Known, *, in_model: bool) -> None:
        self.known = known
        self.in_model = in_model
        self.nodes = 0
        self.selectors = 0

    # --- nodes -----------------------------------------------------------------------------------------------
    def rule(self, document: object, *, path: str, depth: int, within: Within) -> Node:
        if not isinstance(document, dict):
            refuse(path, f"a rule is an object, not {kind_of(document)}")
        head = self._head(document, path)
        # A reference is counted as what it stands for, so it adds neither a node nor depth.
        if head == "rule":
            return self._named(document["rule"], path=f"{path}.rule", depth=depth, within=within)
        if head == "segment":
            found = self._segment(document["segment"], path=f"{path}.segment", depth=depth, within=within)
            if found.part is not None:
                return found
        self.nodes += 1
        if self.nodes > MOST_NODES:
            refuse(path, f"a rule has at most {MOST_NODES} nodes")
        if depth > MOST_DEPTH:
            refuse(path, f"a rule is at most {MOST_DEPTH} nodes deep")

        def part(value: object, at: str) -> Node:
            return self.rule(value, path=at, depth=depth + 1, within=within)

        at = f"{path}.{head}"
        value = document[head]
        match head:
            case "segment":
                return found
            case "stage":
                return self._stage(value, at, within)
            case "trait":
                return self._trait(document, path)
            case "all" | "any":
                items = items_of(value, at, "rule")
                parts = tuple(part(item, f"{at}[{index}]") for index, item in enumerate(items))
                return All(parts) if head == "all" else Any(parts)
            case "not":
                return Not(part(value, at))
            case "did":
                return self._did(document, path)
            case "spent":
                return Spent(
                    self._selector(value, at),
                    at_least=self._minor_units(required(document, "at_least", path), f"{path}.at_least"),
                    within=self._window(document, path),
                )
            case "grew":
                return Grew(
                    self._selector(value, at),
                    by=ten_thousandths_of(required(document, "by", path), f"{path}.by"),
                    within=self._duration(required(document, "within", path), f"{path}.within"),
                )
            case "since":
                return Since(
                    self._selector(value, at), self._selector(required(document, "until", path), f"{path}.until")
                )
            case "held":
                return Held(part(value, at), self._duration(required(document, "for", path), f"{path}.for"))
            case _:
                return Lately(part(value, at), self._duration(required(document, "within", path), f"{path}.within"))

    def _head(self, document: dict[object, object], path: str) -> str:
        keys = text_keys(document, path)
        for key in keys:
            if key in _RESERVED:
                refuse(child(path, key), f'"{key}" is reserved for later and cannot be used yet')
        heads = [key for key in keys if key in _KEYS]
        if not heads:
            known = ", ".join(_KEYS)
            if keys:
                refuse(child(path, keys[0]), f'unknown rule "{keys[0][:40]}"; a rule is one of {known}')
            refuse(path, f"an empty object is no rule; a rule is one of {known}")
        if len(heads) > 1:
            refuse(path, f'a node has one head, here are "{heads[0]}" and "{heads[1]}"')
        head = heads[0]
        allowed = _KEYS[head]
        for key in keys:
            if key != head and key not in allowed:
                if head == "trait":
                    refuse(child(path, key), f'unknown operator "{key[:40]}"; the operators are {joined(OPERATORS)}')
                beside = f"it takes {joined(allowed)}" if allowed else "it takes nothing beside it"
                refuse(child(path, key), f'unknown key "{key[:40]}" beside "{head}"; {beside}')
        return head

    def _did(self, document: dict[str, object], path: str) -> Node:
        if "on_days" in document and "at_least" in document:
            refuse(path, '"on_days" and "at_least" exclude each other')
        selector = self._selector(document["did"], f"{path}.did")
        within = self._window(document, path)
        if "on_days" in document:
            return OnDays(selector, days=count_of(document["on_days"], f"{path}.on_days"), within=within)
        at_least = count_of(document["at_least"], f"{path}.at_least") if "at_least" in document else 1
        return Did(selector, at_least=at_least, within=within)

    def _trait(self, document: dict[str, object], path: str) -> Trait:
        key = name_of(document["trait"], f"{path}.trait", "the key of a trait")
        tests = _tests(document, "trait", path)
        if self.known.scores is not None:
            refuse_no_step(key, tests, scores=self.known.scores, path=path)
        return Trait(key, tests)

    # --- references ------------------------------------------------------------------------------------------
    def _named(self, name: object, *, path: str, depth: int, within: Within) -> Node:
        if not isinstance(name, str):
            refuse(path, f"the name of a sub-rule is a text, not {kind_of(name)}")
        within = _further(within, ("rule", name), path)
        if name not in self.known.sub_rules:
            refuse(path, f'there is no sub-rule "{name[:80]}"')
        with _inside(f'the sub-rule "{name[:80]}"', path):
            return Named(name, self.rule(self.known.sub_rules[name], path="$", depth=depth, within=within))

    def _segment(self, key: object, *, path: str, depth: int, within: Within) -> InSegment:
        if not isinstance(key, str):
            refuse(path, f"a segment is named by its key, a text, not {kind_of(key)}")
        within = _further(within, ("segment", key), path)
        if key not in self.known.segments:
            refuse(path, f'there is no segment "{key[:80]}"')
        definition = self.known.segments[key]
        part = None
        if definition["rule"] is not None:
            with _inside(f'the segment "{key[:80]}"', path):
                part = self.rule(definition["rule"], path="$", depth=depth, within=within)
        return InSegment(key, definition["name"], definition["subject"], part)

    def _stage(self, value: object, path: str, within: Within) -> InStage:
        if not isinstance(value, list) or len(value) != 2 or not all(isinstance(name, str) for name in value):
            refuse(path, 'a stage is named by its model and its key, such as ["seven", "retention"]')
        if self.in_model:
            refuse(path, 'the rule of a stage may not use "stage", not even through a segment')
        key, stage = value
        model = self._model(key, f"{path}[0]", within)
        if stage != model.exit_key and stage not in (known for known, name_of, _rule in model.stages):
            refuse(f"{path}[1]", f'the model "{key[:80]}" has no stage "{stage[:80]}"')
        return InStage(model, stage)

    def _model(self, key: str, path: str, within: Within) -> Model:
        within = _further(within, ("model", key), path)
        if key not in self.known.models:
            refuse(path, f'there is no stage model "{key[:80]}"')
        if key not in self.known.read:
            definition = self.known.models[key]
            stages = []
            for stage in definition["stages"]:
                with _inside(f'the stage "{stage["key"]}" of the model "{key[:80]}"', path):
                    # Each rule of a model is bounded for itself, not as a part of whoever names its stage.
                    rule = _Parser(self.known, in_model=True).rule(stage["rule"], path="$", depth=1, within=within)
                stages.append((stage["key"], stage["name"], rule))
            leave = definition["exit"]
            self.known.read[key] = Model(
                key, definition["name"], definition["subject"], tuple(stages), leave["key"], leave["name"]
            )
        return self.known.read[key]

    # --- selectors -------------------------------------------------------------------------------------------
    def _selector(self, value: object, path: str) -> Selector:
        if not isinstance(value, list):
            return (self._pick(value, path),)
        items = items_of(value, path, "selector")
        return tuple(self._pick(item, f"{path}[{index}]") for index, item in enumerate(items))

    def _pick(self, value: object, path: str) -> Pick:
        if not isinstance(value, dict):
            refuse(path, f"a selector is an object or a list of objects, not {kind_of(value)}")
        self.selectors += 1
        if self.selectors > MOST_SELECTORS:
            refuse(path, f"a rule has at most {MOST_SELECTORS} selectors")
        for key in text_keys(value, path):
            if key in _RESERVED:
                refuse(child(path, key), f'"{key}" is reserved for later and cannot be used yet')
            if key not in _SELECTOR_KEYS:
                refuse(child(path, key), f'unknown key "{key[:40]}" in a selector; it takes {joined(_SELECTOR_KEYS)}')
        if "any_activity" in value and value["any_activity"] is not True:
            refuse(f"{path}.any_activity", "any_activity is true or left out")
        roles = names_of(value, "role", path)
        for index, role in enumerate(roles or ()):
            if role not in ROLES:
                at = f"{path}.role[{index}]" if isinstance(value["role"], list) else f"{path}.role"
                refuse(at, f'unknown role "{role[:40]}"; the roles are {", ".join(ROLES)}')
        types = names_of(value, "type", path)
        channels = names_of(value, "channel", path)
        where: tuple[PropertyTest, ...] = ()
        if "where" in value:
            tests = items_of(value["where"], f"{path}.where", "test")
            where = tuple(_property_test(test, f"{path}.where[{index}]") for index, test in enumerate(tests))
        return Pick(
            roles=None if roles is None else frozenset(roles),
            types=None if types is None else frozenset(types),
            channels=None if channels is None else frozenset(channels),
            any_activity="any_activity" in value,
            where=where,
        )

    # --- values ----------------------------------------------------------------------------------------------
    def _window(self, document: Mapping[str, object], path: str) -> int | None:
        return self._duration(document["within"], f"{path}.within") if "within" in document else None

    def _duration(self, value: object, path: str) -> int:
        try:
            return parse_duration(value, lapse=self.known.lapse)
        except ValueError as error:
            raise RuleError(path, str(error)) from None

    def _minor_units(self, value: object, path: str) -> int:
        if not isinstance(value, str) or not DECIMAL.fullmatch(value):
            refuse(path, 'an amount is a decimal text such as "100.00"')
        exact = Decimal(value).as_tuple()
        units, rest = scaled(exact.digits, int(exact.exponent) + self.known.minor_digits)
        if rest:
            units += 1  # an amount finer than the currency can only be reached by the next whole unit
        if units == 0:
            refuse(path, "the amount is above zero")
        return units


class _CircleError(RuleError):
    """A rule that comes back to itself: said where it began."""


def _further(within: Within, name: tuple[str, str], path: str) -> Within:
    """Into something named; not into itself, and not endlessly."""
    if name in within:
        circle = " -> ".join(_called(one) for one in (*within[within.index(name) :], name))
        raise _CircleError(path, f"it goes round in a circle: {circle[:400]}")
    if len(within) >= MOST_DEPTH:
        refuse(path, f"rules refer to one another at most {MOST_DEPTH} deep")
    return (*within, name)


def _called(name: tuple[str, str]) -> str:
    kind, key = name
    return key[:80] if kind == "rule" else f"{kind} {key[:80]}"


@contextmanager
def _inside(what: str, path: str) -> Iterator[None]:
    """What is wrong inside something named is told at the place that names it."""
    try:
        yield
    except _CircleError as error:
        raise _CircleError(path, error.message) from None
    except RuleError as error:
        raise RuleError(path, f"in {what} at {error.path}: {error.message}"[:2000]) from None


def _property_test(document: object, path: str) -> PropertyTest:
    if not isinstance(document, dict):
        refuse(path, f"a test is an object, not {kind_of(document)}")
    keys = text_keys(document, path)
    if "property" not in document:
        refuse(path, '"property" is missing')
    key = name_of(document["property"], f"{path}.property", "the name of a property")
    for name in keys:
        if name in _RESERVED:
            refuse(child(path, name), f'"{name}" is reserved for later and cannot be used yet')
        if name != "property" and name not in OPERATORS:
            refuse(child(path, name), f'unknown operator "{name[:40]}"; the operators are {joined(OPERATORS)}')
    return PropertyTest(key, _tests(document, "test", path))


def _tests(document: Mapping[str, object], what: str, path: str) -> tuple[Test, ...]:
    """The tests of a property or a trait: in the order of the language, not of the document, so that the same tests are
    the same node."""
    given = [name for name in OPERATORS if name in document]
    if not given:
        refuse(path, f"a {what} needs an operator: {joined(OPERATORS)}")
    tests = []
    for name in given:
        if name in ("in", "not_in"):
            items_of(document[name], f"{path}.{name}", "value")
        try:
            tests.append(parse_test(name, document[name]))
        except ValueError as error:
            raise RuleError(f"{path}.{name}", str(error)) from None
    return tuple(tests)

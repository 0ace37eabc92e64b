"""The rule language said once more, slowly: one customer, plain Python, straight from the JSON document.

Truth is worked out at every instant where it could change, by the definition of each node, and joined to
maximal half-open spans. Nothing here is shared with the engine, so that a test can hold the engine to it.
Instants are whole milliseconds since 1970 UTC, amounts whole minor units, a span without end ends at None.
"""

import datetime as dt
import importlib.resources
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

Span = tuple[int, int | None]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
DAY_MS = UNIT_MS["d"]
# 2200-01-01T00:00:00Z; every end past it is for ever.
HORIZON = 7_258_118_400_000
NO_ACTIVITY = {"exposure", "cancel", "refund", "other"}


@dataclass(frozen=True)
class Touchpoint:
    """One interaction. `properties` is a JSON object with its numbers read as int or Decimal."""

    at: int
    type: str
    channel: str
    amount: int = 0
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A trait was told to have a value (None: null) from an instant on."""

    at: int
    key: str
    value: object


@dataclass(frozen=True)
class Placed:
    """Somebody put the customer into a stage of a model on [start, end)."""

    model: str
    stage: str
    start: int
    end: int | None


@dataclass(frozen=True)
class History:
    """What is known of one customer; life None means there is no time line at all. Traits and placements stand in the
    order in which they were recorded; includes and excludes are (segment, start, end)."""

    life: int | None
    touchpoints: Sequence[Touchpoint] = ()
    traits: Sequence[Change] = ()
    included: Sequence[tuple[str, int, int | None]] = ()
    excluded: Sequence[tuple[str, int, int | None]] = ()
    placed: Sequence[Placed] = ()


@dataclass(frozen=True)
class Version:
    """What a rule is read under; `roles` is type name to role, `minor_digits` the decimal places of the currency,
    `segments` the rules of segments (None: a static list), `models` the stages (key, rule) of models, lowest precedence
    first; each has an exit stage "left"."""

    roles: Mapping[str, str]
    zone: str = "UTC"
    lapse_days: int = 180
    sub_rules: Mapping[str, object] = field(default_factory=dict)
    minor_digits: int = 2
    segments: Mapping[str, object] = field(default_factory=dict)
    models: Mapping[str, Sequence[tuple[str, object]]] = field(default_factory=dict)


class Customer:
    """One history read under one version: the spans of rules, and the spells of stages."""

    def __init__(self, history: History, version: Version) -> None:
        self.life = history.life
        self.history = history
        self.touchpoints = history.touchpoints
        self.version = version
        # Keyed by the identity of a part of the document, which outlives this object.
        self._spans: dict[int, list[Span]] = {}
        self._selected: dict[int, list[Touchpoint]] = {}
        self._truths: dict[tuple[int, int], bool] = {}
        self._spells: dict[tuple[str, int | None], list[tuple[int, int]]] = {}

    def spans(self, rule: object) -> list[Span]:
        """The maximal spans on which the rule is true."""
        found = [] if self.life is None else self.line_spans(rule)
        return [(s, None if u is None or u > HORIZON else u) for s, u in found if s <= HORIZON]

    def spells(
        self, stages: Sequence[object], has_exit: bool = True, model: tuple[str, Sequence[str]] | None = None
    ) -> list[tuple[int, int]]:
        """(instant of entering, stage index), ascending; rules lowest precedence first.

        Once a rule held and none does any more, the stage is len(stages), or -1 in a model without an exit stage.
        `model` is the name of the model and the keys of its stages and then its exit stage, for who is placed there."""
        if self.life is None:
            return []
        name, keys = model or (None, ())
        candidates = {self.life}.union(*(self.instants(rule) for rule in stages))
        candidates |= {t for p in self.history.placed if p.model == name for t in (p.start, p.end) if t is not None}
        entered: list[tuple[int, int]] = []
        begun, now_in = False, None
        for t in sorted(t for t in candidates if self.life <= t <= HORIZON):
            holding = [index for index, rule in enumerate(stages) if self.holds(rule, t)]
            by_hand = self.placed_in(name, keys, t)
            if by_hand is not None:
                stage = keys.index(by_hand)
                holding = [stage]
            elif holding:
                stage = max(holding)
            elif begun:
                stage = len(stages) if has_exit else -1
            else:
                stage = None
            begun = begun or bool(holding)
            if stage is not None and stage != now_in:
                entered.append((t, stage))
            now_in = stage
        return entered

    def placed_in(self, model: str | None, keys: Sequence[str], t: int) -> str | None:
        """The stage in which the customer was placed at t; a stage that the model does not have places nobody."""
        found = [
            p.stage for p in self.history.placed if p.model == model and p.stage in keys and covers(p.start, p.end, t)
        ]
        return found[-1] if found else None

    def stage_at(self, model: str, t: int) -> str | None:
        """The key of the stage at t; None before any."""
        stages = self.version.models[model]
        keys = [*(key for key, _rule in stages), "left"]
        if (model, self.life) not in self._spells:
            rules = [rule for _key, rule in stages]
            self._spells[model, self.life] = self.spells(rules, model=(model, keys))
        entered = [keys[index] for at, index in self._spells[model, self.life] if at <= t]
        return entered[-1] if entered else None

    def value_at(self, key: str, t: int) -> object:
        """The value of a trait: of several changes at one instant the one recorded last counts."""
        known = [(change.at, place) for place, change in enumerate(self.history.traits) if change.key == key]
        before = [one for one in known if one[0] <= t]
        return self.history.traits[max(before)[1]].value if before else None

    def line_spans(self, rule) -> list[Span]:
        """The spans without regard to how far ahead they lie."""
        if id(rule) not in self._spans:
            candidates = sorted({t for t in self.instants(rule) if t >= self.life} | {self.life})
            truths = [self.holds(rule, t) for t in candidates]
            found, since = [], None
            for t, true in zip(candidates, truths, strict=True):
                if true and since is None:
                    since = t
                elif not true and since is not None:
                    found.append((since, t))
                    since = None
            if since is not None:
                found.append((since, None))
            self._spans[id(rule)] = found
        return self._spans[id(rule)]

    def instants(self, rule) -> set[int]:
        """Every instant at which the truth of the rule can change, and perhaps some more."""
        match rule:
            case {"all": children} | {"any": children}:
                return set().union(*(self.instants(child) for child in children))
            case {"not": child}:
                return self.instants(child) | {self.life}
            case {"rule": name}:
                return self.instants(self.version.sub_rules[name])
            case {"trait": key}:
                return {change.at for change in self.history.traits if change.key == key}
            case {"segment": key}:
                listed = [one for one in (*self.history.included, *self.history.excluded) if one[0] == key]
                borders = {t for _key, start, end in listed for t in (start, end) if t is not None}
                part = self.version.segments[key]
                return borders if part is None else borders | self.instants(part)
            case {"stage": [model, _key]}:
                borders = {t for p in self.history.placed if p.model == model for t in (p.start, p.end)}
                found = borders.union(*(self.instants(part) for _key, part in self.version.models[model]))
                return {t for t in found if t is not None}
            case {"since": a, "until": b}:
                return {e.at for e in self.selected(a) + self.selected(b)}
            case {"grew": selector, "within": within}:
                w = self.ms(within)
                return {e.at + shift for e in self.selected(selector) for shift in (0, w, 2 * w)} | {self.life + 2 * w}
            case {"held": child, "for": d} | {"lately": child, "within": d}:
                borders = {t for span in self.line_spans(child) for t in span if t is not None}
                return {t + shift for t in borders for shift in (0, self.ms(d))}
            case {"did": selector} | {"spent": selector}:
                shifts = (0, self.ms(rule["within"])) if "within" in rule else (0,)
                return {e.at + shift for e in self.selected(selector) for shift in shifts}
        raise AssertionError(f"not a rule: {rule}")

    def holds(self, rule, t: int) -> bool:
        """Whether the rule is true at t."""
        if t < self.life:
            return False
        if (id(rule), t) not in self._truths:
            self._truths[id(rule), t] = self.true_at(rule, t)
        return self._truths[id(rule), t]

    def true_at(self, rule, t: int) -> bool:
        """Whether the rule is true at t, an instant of the life, by the table of the rule language."""
        match rule:
            case {"all": children}:
                return all(self.holds(child, t) for child in children)
            case {"any": children}:
                return any(self.holds(child, t) for child in children)
            case {"not": child}:
                return not self.holds(child, t)
            case {"rule": name}:
                return self.holds(self.version.sub_rules[name], t)
            case {"trait": key}:
                return satisfies(rule, self.value_at(key, t))
            case {"segment": key}:
                return self.in_segment(key, self.version.segments[key], t)
            case {"stage": [model, key]}:
                return self.stage_at(model, t) == key
            case {"did": selector, "on_days": k}:
                return len({self.day(e.at) for e in self.in_window(selector, rule, t)}) >= k
            case {"did": selector}:
                return len(self.in_window(selector, rule, t)) >= rule.get("at_least", 1)
            case {"spent": selector, "at_least": threshold}:
                minor = math.ceil(Decimal(threshold).scaleb(self.version.minor_digits))
                return sum(e.amount for e in self.in_window(selector, rule, t)) >= minor
            case {"grew": selector, "by": by, "within": within}:
                w = self.ms(within)
                later = sum(e.amount for e in self.selected(selector) if t - w < e.at <= t)
                earlier = sum(e.amount for e in self.selected(selector) if t - 2 * w < e.at <= t - w)
                return earlier > 0 and later * 10_000 >= int(Decimal(by) * 10_000) * earlier and t >= self.life + 2 * w
            case {"since": a, "until": b}:
                begun = [e.at for e in self.selected(a) if e.at <= t]
                return bool(begun) and not any(max(begun) <= e.at <= t for e in self.selected(b))
            case {"held": child, "for": d}:
                # The child's span goes on over t and began at least D ago.
                return any(s + self.ms(d) <= t and (u is None or t < u) for s, u in self.line_spans(child))
            case {"lately": child, "within": d}:
                # Some instant of [s, u) lies in (t-D, t]: s is not after t, and u is after t-D.
                return any(s <= t and (u is None or t < u + self.ms(d)) for s, u in self.line_spans(child))
        raise AssertionError(f"not a rule: {rule}")

    def in_segment(self, key: str, part: object, t: int) -> bool:
        """Excludes win over includes, includes over the rule."""
        if any(name == key and covers(start, end, t) for name, start, end in self.history.excluded):
            return False
        if any(name == key and covers(start, end, t) for name, start, end in self.history.included):
            return True
        return part is not None and self.holds(part, t)

    def in_window(self, selector, rule, t: int) -> list[Touchpoint]:
        if "within" in rule:
            return [e for e in self.selected(selector) if t - self.ms(rule["within"]) < e.at <= t]
        return [e for e in self.selected(selector) if e.at <= t]

    def selected(self, selector) -> list[Touchpoint]:
        if id(selector) not in self._selected:
            roles = self.version.roles
            self._selected[id(selector)] = [e for e in self.touchpoints if selects(selector, e, roles)]
        return self._selected[id(selector)]

    def ms(self, duration: str) -> int:
        return self.version.lapse_days * DAY_MS if duration == "L" else int(duration[:-1]) * UNIT_MS[duration[-1]]

    def day(self, at: int) -> dt.date:
        return local_day(at, self.version.zone)


def covers(start: int, end: int | None, t: int) -> bool:
    return start <= t and (end is None or t < end)


@cache
def zone_data(name: str) -> ZoneInfo:
    """The zone as the tzdata package has it, whatever the machine has."""
    with importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def local_day(at: int, zone: str) -> dt.date:
    return (EPOCH + dt.timedelta(milliseconds=at)).astimezone(zone_data(zone)).date()


def selects(selector, touchpoint: Touchpoint, roles: Mapping[str, str]) -> bool:
    """Whether the selector (an object, or a list of them of which any may hold) selects the touchpoint."""
    if isinstance(selector, list):
        return any(selects(one, touchpoint, roles) for one in selector)
    role = roles.get(touchpoint.type, "other")
    seen = {"role": role, "type": touchpoint.type, "channel": touchpoint.channel}
    for key, wanted in selector.items():
        if key == "any_activity":
            holds = role not in NO_ACTIVITY
        elif key == "where":
            holds = all(satisfies(test, touchpoint.properties.get(test["property"])) for test in wanted)
        else:
            holds = seen[key] in wanted if isinstance(wanted, list) else seen[key] == wanted
        if not holds:
            return False
    return True


def satisfies(test: Mapping[str, object], value: object) -> bool:
    """Whether a value (None: never set, or null) satisfies every operator of a test."""
    return all(
        _operator_holds(name, operand, value) for name, operand in test.items() if name not in ("property", "trait")
    )


def kind(value: object) -> str | None:
    """string, number or boolean; None for what is none of them."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | Decimal):
        return "number"
    return "string" if isinstance(value, str) else None


def _operator_holds(name: str, operand, value) -> bool:
    if name == "exists":
        return (value is not None) == operand
    if kind(value) is None:
        return False
    match name:
        case "is":
            return kind(value) == kind(operand) and value == operand
        case "is_not":
            return kind(value) == kind(operand) and value != operand
        case "in":
            return any(_operator_holds("is", item, value) for item in operand)
        case "not_in":
            return any(kind(item) == kind(value) for item in operand) and not _operator_holds("in", operand, value)
        case "before" | "after":
            left, right = instant(value), instant(operand)
            return left is not None and (left < right if name == "before" else left > right)
    if kind(value) != kind(operand):
        return False
    match name:
        case "contains":
            return operand in value
        case "starts_with":
            return value[: len(operand)] == operand
        case "gt":
            return value > operand
        case "gte":
            return value >= operand
        case "lt":
            return value < operand
        case "lte":
            return value <= operand
    raise AssertionError(f"not an operator: {name}")


def instant(text: object) -> dt.datetime | None:
    """ISO 8601 with offset, or a bare date as its midnight UTC; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
    except ValueError:
        pass
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else None

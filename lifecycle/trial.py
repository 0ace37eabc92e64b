"""A rule tried on a history that need not exist: the body of the request in, the spans on which the rule is true out.

Nothing is stored and nobody's touchpoints are read; only the mapping of types to roles, the sub-rules, the segments and
models that rules name, and L are those of the installation. Whoever is made up is on no list and placed nowhere."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

import numpy as np

from clm.lib.milliseconds import to_ms
from clm.lib.periods import zone_of
from clm.lib.questions import QuestionError
from customers.events import EARLIEST
from customers.models import Installation, Role, TouchpointType
from customers.score_steps import KEYS, PREFIX, SCORES
from customers.standard_types import STANDARD_TYPES

from .present import Present
from .rules.describe import sentence
from .rules.document import RuleError, is_storable
from .rules.evaluate import (
    FOREVER,
    HORIZON,
    NO_LIFE,
    Catalogue,
    Facts,
    Membership,
    Program,
    PropertyColumn,
    TraitColumn,
    spans_of,
)
from .rules.instants import parse_instant
from .rules.nodes import Node
from .rules.parse import parse_rule
from .rules.value_tests import OTHER, Value

MOST_TOUCHPOINTS = 10_000
MOST_TRAITS = 1_000
LARGEST_AMOUNT = 10**11
_AMOUNT = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_BODY = ("rule", "touchpoints", "traits", "timezone")
_TOUCHPOINT = ("occurred_at", "type", "role", "channel", "amount", "properties")
_HISTORY = ("touchpoints", "traits")
_TRAIT = ("key", "value", "set_at")


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule says and when it is true: spans [from, until) in milliseconds since 1970 UTC; None: for ever."""

    sentence: str
    spans: tuple[tuple[int, int | None], ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """One made-up touchpoint."""

    ms: int
    type: str
    role: str
    channel: str
    amount: int
    properties: Mapping[str, Any]


def trial(*, body: object) -> Trial:
    """Evaluate the rule of `body` (what `load_document` gives) on its touchpoints. RuleError names the JSON path of
    whatever cannot be used."""
    if not isinstance(body, dict):
        raise RuleError("$", "the body is an object with a rule and touchpoints")
    _only(body, _BODY, "$")
    if "rule" not in body:
        raise RuleError("$.rule", "the rule is missing")
    installation = Installation.current()
    node = _rule(body["rule"], installation, scores=_scores(body.get("traits")))
    zone = _zone(body.get("timezone"), installation)
    history = made_up({key: body[key] for key in ("touchpoints", "traits") if key in body}, path="$")
    catalogue = history.catalogue
    program = Program((Membership(node),), zone=zone, catalogue=catalogue)
    _owner, starts, ends = spans_of(node, history.facts(program), zone=zone, catalogue=catalogue)
    return Trial(
        sentence=sentence(node, currency=installation.currency, minor_digits=installation.minor_digits),
        spans=tuple(
            (start, None if end == FOREVER or end > HORIZON else end)
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ),
    )


def _scores(tellings: object) -> Mapping[str, int] | None:
    """The scores that the rule may name: those there are, unless the made-up history tells of made-up ones (None)."""
    told = {row.get("key") for row in tellings if isinstance(row, dict)} if isinstance(tellings, list) else set()
    is_made_up = any(isinstance(key, str) and key.startswith(PREFIX) and key not in KEYS for key in told)
    return None if is_made_up else SCORES


def _rule(document: object, installation: Installation, *, scores: Mapping[str, int] | None) -> Node:
    present = Present()
    segments, models = present.named()
    return parse_rule(
        document,
        lapse_days=installation.lapse_days,
        sub_rules=present.sub_rules,
        minor_digits=installation.minor_digits,
        segments=segments,
        models=models,
        path="$.rule",
        scores=scores,
    )


def _zone(name: object, installation: Installation) -> str:
    if name is None:
        return installation.time_zone
    if not isinstance(name, str):
        raise RuleError("$.timezone", "a time zone is a text such as Europe/London")
    try:
        zone_of(name)
    except QuestionError as error:
        raise RuleError("$.timezone", error.message) from None
    return name


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A history that need not exist: touchpoints in order of time, and changes of traits (key, instant in milliseconds,
    value) in the order in which they were given. A type has a code per role it came with."""

    touchpoints: tuple[Happened, ...]
    traits: tuple[tuple[str, int, Value], ...]

    @property
    def life(self) -> int:
        """Where the life begins: with the first thing known."""
        begins = [one.ms for one in self.touchpoints] + [at for _key, at, _value in self.traits]
        return min(begins, default=int(NO_LIFE))

    @property
    def catalogue(self) -> Catalogue:
        kinds, channels = self._codes()
        return Catalogue(
            types=tuple((code, name, role) for (name, role), code in kinds.items()),
            channels=tuple((code, name) for name, code in channels.items()),
        )

    def facts(self, program: Program) -> Facts:
        """The columns of the one owner that the program looks at; the program knows types by `catalogue`."""
        kinds, channels = self._codes()
        facts = Facts(
            life=np.array([self.life], np.int64),
            owner=np.zeros(len(self.touchpoints), np.int64),
            ms=np.array([one.ms for one in self.touchpoints], np.int64),
            type=np.array([kinds[one.type, one.role] for one in self.touchpoints], np.int32),
            channel=np.array([channels[one.channel] for one in self.touchpoints], np.int32),
            amount=np.array([one.amount for one in self.touchpoints], np.int64),
        )
        for key in program.property_keys:
            rows = [row for row, one in enumerate(self.touchpoints) if one.properties.get(key) is not None]
            values = [_value(self.touchpoints[row].properties[key]) for row in rows]
            facts.properties[key] = PropertyColumn(np.array(rows, np.int64), values)
        for key in program.trait_keys:
            changes = sorted(((at, value) for name, at, value in self.traits if name == key), key=lambda one: one[0])
            facts.traits[key] = TraitColumn(
                np.zeros(len(changes), np.int64),
                np.array([at for at, _value in changes], np.int64),
                [value for _at, value in changes],
            )
        return facts

    def _codes(self) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
        kinds = dict.fromkeys((one.type, one.role) for one in self.touchpoints)
        channels = dict.fromkeys(one.channel for one in self.touchpoints)
        return (
            {kind: code for code, kind in enumerate(kinds, start=1)},
            {channel: code for code, channel in enumerate(channels, start=1)},
        )


@dataclass(frozen=True, slots=True)
class Understood:
    """What a history leaves to the installation: the roles of its types, and how many digits its amounts have."""

    roles: Mapping[str, str]
    minor_digits: int


def understood(*, documents: Iterable[Mapping[str, Any]]) -> Understood:
    """What histories that were read before leave to the installation, asked once for all of them."""
    types = {one["type"] for document in documents for one in document.get("touchpoints", []) if one.get("type")}
    return Understood(_roles(types), Installation.current().minor_digits)


def made_up(document: object, *, path: str, known: Understood | None = None) -> MadeUp:
    """The history in `document`, {"touchpoints": [...], "traits": [...]}. RuleError names the place, from `path` on.
    known: what it leaves to the installation, if that is at hand."""
    _only(document, _HISTORY, path)
    assert isinstance(document, dict)
    minor_digits = Installation.current().minor_digits if known is None else known.minor_digits
    roles = None if known is None else known.roles
    return MadeUp(
        touchpoints=tuple(_touchpoints(document.get("touchpoints", []), f"{path}.touchpoints", minor_digits, roles)),
        traits=tuple(_tellings(document.get("traits", []), f"{path}.traits")),
    )


def _touchpoints(
    listed: object, path: str, minor_digits: int, roles: Mapping[str, str] | None = None
) -> list[Happened]:
    """The touchpoints in order of time."""
    rows = _list(listed, path, MOST_TOUCHPOINTS)
    for index, row in enumerate(rows):
        _only(row, _TOUCHPOINT, f"{path}[{index}]")
        _text(row.get("type"), f"{path}[{index}].type")
    if roles is None:
        roles = _roles({row["type"] for row in rows if row.get("type")})
    happened = [_touchpoint(row, f"{path}[{index}]", roles, minor_digits) for index, row in enumerate(rows)]
    return sorted(happened, key=lambda one: one.ms)


def _roles(types: set[str]) -> dict[str, str]:
    """The roles that types are mapped to now; standard names have theirs before anybody sends them."""
    known = {name: STANDARD_TYPES[name] for name in types if name in STANDARD_TYPES}
    return known | dict(TouchpointType.objects.filter(name__in=sorted(types)).values_list("name", "role"))


def _touchpoint(row: Mapping[str, Any], path: str, roles: Mapping[str, str], minor_digits: int) -> Happened:
    type_name = _text(row.get("type"), f"{path}.type")
    role = row.get("role")
    if role is None:
        role = roles.get(type_name, str(Role.OTHER))
    elif role not in Role.values:
        _refuse(f"{path}.role", f"unknown role; the roles are {', '.join(Role.values)}")
    properties = row.get("properties")
    if properties is not None and not isinstance(properties, dict):
        _refuse(f"{path}.properties", "properties are an object")
    return Happened(
        ms=_instant(row.get("occurred_at"), f"{path}.occurred_at"),
        type=type_name,
        role=role,
        channel=_text(row.get("channel"), f"{path}.channel"),
        amount=_amount(row.get("amount"), f"{path}.amount", minor_digits),
        properties=properties or {},
    )


def _tellings(listed: object, path: str) -> list[tuple[str, int, Value]]:
    """The changes of traits, in the order in which they are given."""
    tellings = []
    for index, row in enumerate(_list(listed, path, MOST_TRAITS)):
        at = f"{path}[{index}]"
        _only(row, _TRAIT, at)
        if not isinstance(row.get("key"), str) or not row["key"]:
            _refuse(f"{at}.key", "the key of a trait is a text that is not empty")
        if "value" not in row:
            _refuse(f"{at}.value", '"value" is missing')
        value = None if row["value"] is None else _value(row["value"])
        tellings.append((row["key"], _instant(row.get("set_at"), f"{at}.set_at"), value))
    return tellings


# --- members ------------------------------------------------------------------------------------------------------
def _instant(value: object, path: str) -> int:
    ms = parse_instant(value) if isinstance(value, str) else None
    if ms is None:
        _refuse(path, "an instant is written like 2026-03-29T01:00:00Z, with its offset; a date is its midnight UTC")
    if ms < to_ms(EARLIEST):
        _refuse(path, "an instant before 1990 cannot be used")
    return ms


def _amount(value: object, path: str, minor_digits: int) -> int:
    """Minor units, rounded half-even; no amount counts as 0.00."""
    if value is None:
        return 0
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        _refuse(path, 'an amount is a decimal text such as "100.00", or null')
    units = _half_even(value, minor_digits)
    if abs(units) >= LARGEST_AMOUNT:
        _refuse(path, "an amount lies below 10^11 minor units")
    return units


def _half_even(text: str, minor_digits: int) -> int:
    """Exact whatever the length of the text: no decimal context takes part."""
    whole, _point, decimals = text.removeprefix("-").partition(".")
    digits = decimals.ljust(minor_digits, "0")
    units, rest = int(whole + digits[:minor_digits]), digits[minor_digits:].rstrip("0")
    if rest > "5" or (rest == "5" and units % 2 == 1):
        units += 1
    return -units if text.startswith("-") else units


def _value(value: Any) -> Value:
    if isinstance(value, bool | str | Decimal):
        return value
    # A float comes from a stored history only, and is what its shortest text says.
    return Decimal(repr(value)) if isinstance(value, int | float) else OTHER


def _text(value: object, path: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or not value or len(value) > 200 or not is_storable(value):
        _refuse(path, "a name is a text of 1 to 200 characters")
    return value


def _list(value: object, path: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        _refuse(path, "a list is needed here")
    if len(value) > most:
        _refuse(path, f"at most {most:,} of them")
    return value


def _only(value: object, known: Sequence[str], path: str) -> None:
    if not isinstance(value, dict):
        _refuse(path, "an object is needed here")
    for key in value:
        if key not in known:
            _refuse(f"{path}.{key[:40]}", f"unknown member; there are {', '.join(known)}")


def _refuse(path: str, message: str) -> NoReturn:
    raise RuleError(path, message)

"""The nodes of the rule language: frozen values, hashable, equal when they mean the same text.

A node is a function from a customer's facts to the set of half-open spans [from, until) on which it is true.
`parse` makes nodes from JSON, `describe` says them in English, `evaluate` turns them into spans. Durations are whole
milliseconds, amounts whole minor units of the reporting currency, `by` ten-thousandths. Nodes are plain values: all
bounds are checked by `parse`, which knows the JSON path to complain about.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

Scalar = str | Decimal | bool


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a value: an operator of the language and its operand.

    `operand` is a scalar, a tuple of scalars for `in` and `not_in`, a bool for `exists`, and whole milliseconds since
    1970 (UTC) for `before` and `after`."""

    __test__: ClassVar[bool] = False  # pytest would take the name for a test class

    operator: str
    operand: Scalar | tuple[Scalar, ...] | int
    # Python holds True == Decimal(1): without the kinds `is: true` and `is: 1` would be one node.
    kinds: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        items = self.operand if isinstance(self.operand, tuple) else (self.operand,)
        object.__setattr__(self, "kinds", tuple(type(item).__name__ for item in items))


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """All `tests` hold for the value of one top-level key of a touchpoint's properties."""

    key: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """One selector object: every given part must hold; None means the part was not given."""

    roles: frozenset[str] | None = None
    types: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    any_activity: bool = False
    where: tuple[PropertyTest, ...] = ()


# A selector is any of its picks.
Selector = tuple[Pick, ...]


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Did:
    """At least `at_least` touchpoints of the selector in (t - within, t]; within None: ever."""

    selector: Selector
    at_least: int = 1
    within: int | None = None


@dataclass(frozen=True, slots=True)
class OnDays:
    """Touchpoints of the selector in (t - within, t] fall on at least `days` calendar days of the business zone."""

    selector: Selector
    days: int
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """The amounts in (t - within, t] sum to at least `at_least` minor units."""

    selector: Selector
    at_least: int
    within: int | None = None


@dataclass(frozen=True, slots=True)
class Grew:
    """The amounts in (t - within, t] are at least by / 10,000 times those in (t - 2 within, t - within], which are
    above zero, and t is at least life start + 2 within."""

    selector: Selector
    by: int
    within: int


@dataclass(frozen=True, slots=True)
class Since:
    """Some touchpoint of `start` happened and none of `until` at or after the latest one of `start`."""

    start: Selector
    until: Selector


@dataclass(frozen=True, slots=True)
class Held:
    """The part has been true without a break for `duration`."""

    part: Node
    duration: int


@dataclass(frozen=True, slots=True)
class Lately:
    """The part was true at some instant in (t - within, t]."""

    part: Node
    within: int


@dataclass(frozen=True, slots=True)
class Trait:
    """All `tests` hold for the value of the trait of that key."""

    key: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A stored sub-rule, expanded: it means its part, and is described by its name."""

    name: str
    part: Node


@dataclass(frozen=True, slots=True)
class InSegment:
    """The customer is in the segment, expanded: its rule holds (none: a static list), as overruled by who was included
    and excluded by name. `subject` is the number under which the facts know those."""

    key: str
    name: str
    subject: int
    part: Node | None


@dataclass(frozen=True, slots=True)
class Model:
    """A stage model as a rule sees it: stages (key, name, rule) lowest precedence first. `subject` is the number under
    which the facts know who was placed by hand."""

    key: str
    name: str
    subject: int
    stages: tuple[tuple[str, str, Node], ...]
    exit_key: str
    exit_name: str


@dataclass(frozen=True, slots=True)
class InStage:
    """The customer is in that stage of the model; `stage` is its key."""

    model: Model
    stage: str


Node = All | Any | Not | Did | OnDays | Spent | Grew | Since | Held | Lately | Trait | Named | InSegment | InStage


def parts_of(node: Node) -> tuple[Node, ...]:
    """The rules a node is made of, what its names stand for included."""
    match node:
        case All(parts) | Any(parts):
            return parts
        case Not(part) | Held(part, _) | Lately(part, _) | Named(_, part):
            return (part,)
        case InSegment(part=part):
            return () if part is None else (part,)
        case InStage(model, _):
            return tuple(rule for _key, _name, rule in model.stages)
        case _:
            return ()


def walked(node: Node) -> Iterator[Node]:
    """The node and every node it is made of."""
    yield node
    for part in parts_of(node):
        yield from walked(part)


ROLES = (
    "exposure",
    "visit",
    "signup",
    "subscribe",
    "cancel",
    "onboarding",
    "usage",
    "cart",
    "checkout",
    "purchase",
    "refund",
    "upgrade",
    "support",
    "feedback",
    "review",
    "referral",
    "share",
    "other",
)
ACTIVITY_ROLES = frozenset(ROLES) - {"exposure", "cancel", "refund", "other"}

"""What a node of a rule saw at an instant: the value that was counted, the value that was needed, and the touchpoints
it was counted from. For one customer, beside the evaluation that says whether the node held (lifecycle/why.py)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from clm.lib.milliseconds import from_ms, to_ms
from customers.models import Touchpoint
from customers.score_steps import KEYS

from .rules.days import local_days
from .rules.describe import counted, said_money, said_ratio, said_tests
from .rules.durations import DAY, say_duration
from .rules.evaluate import Facts, Program
from .rules.nodes import Did, Grew, Held, Lately, Node, OnDays, Selector, Since, Spent, Trait
from .rules.selection import Selection
from .rules.value_tests import Value

Int64s = npt.NDArray[np.int64]
_UNTOLD = dict.fromkeys(KEYS, "it is not told")
# So many touchpoints are named behind a node, the latest.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """A touchpoint behind a node."""

    id: int
    at: datetime
    type: str


@dataclass(slots=True)
class Seen:
    """What a node saw. told: in words ("2 of 3 purchases in the last 90 days"); seen and needed: the bare values, ""
    where there is nothing to compare; last_at: when the latest of what it looks at happened; rows: the touchpoints
    behind it, as rows of the facts, latest first."""

    told: str = ""
    seen: str = ""
    needed: str = ""
    last_at: datetime | None = None
    rows: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Money:
    """How amounts are written."""

    currency: str
    minor_digits: int

    def said(self, units: int) -> str:
        return said_money(units, currency=self.currency, minor_digits=self.minor_digits)


class Witness:
    """Looks at one customer's facts (of `owner` 0 alone) at one instant (ms)."""

    def __init__(
        self, *, program: Program, facts: Facts, moment: int, zone: str, money: Money, selectors: dict[Selector, int]
    ) -> None:
        self._facts, self._moment, self._zone, self._money = facts, moment, zone, money
        self._numbers = selectors
        self._ms = facts.ms.astype(np.int64)
        often = [1 << 60] * len(program.selectors.parts)
        self._selection = Selection(program.selectors, facts, self._ms, often)

    def seen(self, node: Node, part: Callable[[Node], tuple[bool, datetime | None]]) -> Seen:
        """What the node saw; `part` tells of one of its parts whether it holds and since when."""
        match node:
            case Did(selector, at_least, within):
                return self._did(selector, at_least, within)
            case OnDays(selector, days, within):
                return self._on_days(selector, days, within)
            case Spent(selector, at_least, within):
                return self._spent(selector, at_least, within)
            case Grew(selector, by, within):
                return self._grew(selector, by, within)
            case Since(start, until):
                return self._since(start, until)
            case Held(inner, duration):
                return self._held(*part(inner), duration)
            case Lately(inner, within):
                return self._lately(*part(inner), within)
            case Trait(key, tests):
                value, set_at = self._trait(key)
                told = f"it is {_said(value)}" if value is not None else _UNTOLD.get(key, "it was never set")
                return Seen(told, "" if value is None else _said(value), said_tests(tests), set_at)
            case _:
                return Seen()

    # --- kinds of nodes -------------------------------------------------------------------------------------
    def _did(self, selector: Selector, at_least: int, within: int | None) -> Seen:
        before, inside = self._window(selector, within)
        count = len(inside)
        what = counted(selector, count)
        if at_least > 1:
            what = f"{count:,} of {at_least:,} {counted(selector, at_least).partition(' ')[2]}"
        return Seen(what + _window(within), f"{count}", f"{at_least}", self._last(before), self._named(inside, before))

    def _on_days(self, selector: Selector, days: int, within: int | None) -> Seen:
        before, inside = self._window(selector, within)
        numbers = local_days(self._zone).numbers(self._ms[inside])
        distinct, last = np.unique(numbers[::-1], return_index=True)
        latest = [int(inside[len(inside) - 1 - place]) for place in last[::-1].tolist()]
        noun = "day" if max(days, len(distinct)) == 1 else "different days"
        told = f"on {len(distinct):,} of {days:,} {noun}{_window(within)}"
        rows = latest[:NAMED] if latest else self._named(inside, before)
        return Seen(told, f"{len(distinct)}", f"{days}", self._last(before), rows)

    def _spent(self, selector: Selector, at_least: int, within: int | None) -> Seen:
        before, inside = self._window(selector, within)
        total = int(self._facts.amount[inside].sum())
        told = f"{self._money.said(total)} of {self._money.said(at_least)}{_window(within)}"
        paid = inside[self._facts.amount[inside] != 0]
        return Seen(told, self._money.said(total), self._money.said(at_least), self._last(before), self._named(paid))

    def _grew(self, selector: Selector, by: int, within: int) -> Seen:
        before, inside = self._window(selector, within)
        _all, both = self._window(selector, 2 * within)
        now = int(self._facts.amount[inside].sum())
        earlier = int(self._facts.amount[both].sum()) - now
        span = say_duration(within)
        told = f"{self._money.said(now)} in the last {span}, {self._money.said(earlier)} in the {span} before"
        times = f"{now / earlier:.2f} times" if earlier > 0 else ""
        needed = f"at least {said_ratio(by)} times"
        if self._moment < int(self._facts.life[0]) + 2 * within:
            told = f"known for less than {say_duration(2 * within)}, so there is nothing to compare with"
        return Seen(told, times, needed, self._last(before), self._named(inside))

    def _since(self, start: Selector, until: Selector) -> Seen:
        began, _inside = self._window(start, None)
        ended, _inside = self._window(until, None)
        if len(began) == 0:
            return Seen(counted(start, 0))
        first, last = int(began[-1]), int(ended[-1]) if len(ended) else None
        after = last is not None and self._ms[last] >= self._ms[first]
        told = f"then {counted(until, 1)}" if after else f"since then {counted(until, 0)}"
        rows = [last, first] if after and last is not None else [first]
        return Seen(told, last_at=from_ms(int(self._ms[rows[0]])), rows=rows)

    def _held(self, held: bool, since: datetime | None, duration: int) -> Seen:
        if not held:
            return Seen("it does not hold", "0 days", say_duration(duration))
        lasted = self._moment - (int(self._facts.life[0]) if since is None else to_ms(since))
        so_far = _length(min(lasted, duration), duration)
        return Seen(f"{so_far} of {say_duration(duration)} so far", _length(lasted, duration), say_duration(duration))

    def _lately(self, held: bool, since: datetime | None, within: int) -> Seen:
        if held:
            return Seen("it holds", needed=say_duration(within))
        if since is None:
            return Seen("it never held", needed=say_duration(within))
        # Not holding since some change means holding before it, unless it never did.
        ago = self._moment - to_ms(since)
        return Seen(f"it last held {_length(ago, within)} ago", _length(ago, within), say_duration(within), since)

    def _trait(self, key: str) -> tuple[Value, datetime | None]:
        column = self._facts.traits.get(key)
        place = -1 if column is None else int(np.searchsorted(column.ms, self._moment, "right")) - 1
        if column is None or place < 0:
            return None, None
        return column.values[place], from_ms(int(column.ms[place]))

    # --- touchpoints ----------------------------------------------------------------------------------------
    def _window(self, selector: Selector, within: int | None) -> tuple[Int64s, Int64s]:
        """The rows selected until the moment, and those of them in the window before it."""
        index = self._selection.take(self._numbers[selector]).index
        rows = np.arange(len(self._ms)) if index is None else index
        rows = rows[: np.searchsorted(self._ms[rows], self._moment, "right")]
        first = 0 if within is None else np.searchsorted(self._ms[rows], self._moment - within, "right")
        return rows, rows[int(first) :]

    def _last(self, rows: Int64s) -> datetime | None:
        return from_ms(int(self._ms[rows[-1]])) if len(rows) else None

    @staticmethod
    def _named(rows: Int64s, otherwise: Int64s | None = None) -> list[int]:
        """The latest few; where there is none the latest of `otherwise`, which came too early."""
        if len(rows) == 0 and otherwise is not None:
            return [int(row) for row in otherwise[-1:]]
        return [int(row) for row in rows[: -NAMED - 1 : -1]]


def named_touchpoints(*, facts: Facts, rows: Sequence[int], profiles: Sequence[int]) -> dict[int, Evidence]:
    """The stored touchpoints at some rows of one customer's facts; one query. Those that agree in instant and type are
    alike to every rule, so any order among them will do."""
    if not rows:
        return {}
    asked = sorted(set(rows))
    instants = {from_ms(int(facts.ms[row])) for row in asked}
    stored: dict[tuple[datetime, int], list[Evidence]] = {}
    for number, at, code, name in (
        Touchpoint.objects.filter(profile__in=list(profiles), occurred_at__in=sorted(instants))
        .order_by("pk")
        .values_list("pk", "occurred_at", "type_id", "type__name")
    ):
        stored.setdefault((at, code), []).append(Evidence(number, at, name))
    found: dict[int, Evidence] = {}
    for row in asked:
        alike = stored.get((from_ms(int(facts.ms[row])), int(facts.type[row])))
        if alike:
            found[row] = alike.pop(0)
    return found


def _window(within: int | None) -> str:
    if within is None:
        return ""
    span = say_duration(within)
    return f" in the last {span[2:] if span.startswith('1 ') else span}"


def _length(length: int, like: int) -> str:
    """A length in whole days, or exactly where it is compared with less than two."""
    days = length // DAY
    if like < 2 * DAY:
        return say_duration(length - length % 60_000)
    return "1 day" if days == 1 else f"{days:,} days"


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"“{value[:80]}”"
    return f"{value:f}" if hasattr(value, "adjusted") else "a list or an object"

"""What a figure is: a number that says what it counts, over whom, when, and resting on what."""

from dataclasses import dataclass
from datetime import date, datetime

from clm.lib.periods import Period

from .sources import SourceRef


@dataclass(frozen=True, slots=True)
class CountRow:
    """A number that a figure is made of. customers_query: parameters of the customer list that shows who is behind it,
    empty where nobody in particular is."""

    key: str
    symbol: str
    label: str
    value: int | float | None
    unit: str
    customers_query: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What a figure was. until: the last day on which it was so; cause: of the change; touchpoints: how many late ones
    came, on the days first to last, 0 and None where none did; sentence: all of that in words, "" where the figure
    moved by less than is printed of it."""

    was: int | float
    until: date
    cause: str
    touchpoints: int
    first: date | None
    last: date | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One answered figure.

    value: None is "n/a" and `note` says why; unit `money` is minor units of the reporting currency, `percent` a share
    from 0 to 1, `ratio` and `orders` plain numbers. low, high: its 95 % interval in the same unit. basis: which
    spend it is on (blended, paid), value_basis: which value (revenue, margin), empty where there is no choice.
    counted_until: the end of the period, or as_of if that is earlier. moved: what it was before something late came in,
    None if it did not move. broken: identities between the figures it is made of that do not hold."""

    key: str
    name: str
    value: int | float | None
    unit: str
    definition: str
    formula: str
    note: str
    low: float | None
    high: float | None
    counts: tuple[CountRow, ...]
    period: Period
    as_of: datetime
    segment: str | None
    basis: str
    value_basis: str
    counted_until: datetime
    sources: tuple[SourceRef, ...]
    customers_query: str
    api: str
    moved: Moved | None = None
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """Figures that belong together on a page."""

    title: str
    metrics: tuple[Figure, ...]

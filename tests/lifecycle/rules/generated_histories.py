"""Random histories of several customers, of two sorts: wild ones over years, and a dense grid of few instants.

The grid is where mistakes hide: window lengths equal to gaps, a millisecond more or less, ties, and instants around
changes of the clock and midnights of the business time zone.
"""

import datetime as dt
import itertools
from dataclasses import dataclass, replace
from functools import cache

from hypothesis import strategies as st

from tests.lifecycle.rules.generated_rules import CHANNELS, TRAITS, TYPES, VALUES
from tests.lifecycle.rules.reference import (
    DAY_MS,
    EPOCH,
    HORIZON,
    UNIT_MS,
    Change,
    History,
    Placed,
    Touchpoint,
    local_day,
    zone_data,
)

ZONES = (
    "UTC",
    "Europe/London",
    "America/St_Johns",  # until 2011 the clock changed at 00:01, so a day came back for its first minute
    "Pacific/Apia",  # had no 30 December 2011
    "Asia/Kathmandu",  # 5:45 ahead
    "America/Sao_Paulo",  # days that begin at 01:00
    "Australia/Lord_Howe",  # changes by half an hour
)
ODD_ZONES = ("America/St_Johns", "America/St_Johns", "America/Goose_Bay", "Pacific/Apia")
AMOUNTS = (100, 125, 250, 100, 125, 80, 1, 0, -100, 10, 99_999_999_999, -99_999_999_999)
WILD_WINDOWS = ("30m", "1h", "1d", "7d", "2w", "28d", "30d", "90d", "180d", "365d", "L", "3660d")


@dataclass(frozen=True)
class Setting:
    """What rules and histories of one case have in common."""

    zone: str
    windows: tuple[str, ...]
    lapse_days: int


def _ms(at: dt.datetime) -> int:
    return (at - EPOCH) // dt.timedelta(milliseconds=1)


FIRST = _ms(dt.datetime(1990, 1, 1, tzinfo=dt.UTC))


@cache
def clock_changes(zone: str) -> list[int]:
    """The instants from 1990 to 2030 at which the zone's offset from UTC changes."""
    data = zone_data(zone)

    def offset(at: int) -> dt.timedelta | None:
        return (EPOCH + dt.timedelta(milliseconds=at)).astimezone(data).utcoffset()

    first, last = (_ms(dt.datetime(year, 1, 1, tzinfo=dt.UTC)) for year in (1990, 2031))
    found = []
    for low, high in itertools.pairwise(range(first, last, DAY_MS)):
        if offset(low) != offset(high):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
            found.append(high)
    return found


@cache
def midnights(zone: str, around: int) -> list[int]:
    """The instants within 13 hours of `around` at which the local day changes, there and back."""
    found = []
    minutes = range(around - 13 * UNIT_MS["h"], around + 13 * UNIT_MS["h"], UNIT_MS["m"])
    days = [local_day(at, zone) for at in minutes]
    for (low, high), (day, next_day) in zip(itertools.pairwise(minutes), itertools.pairwise(days), strict=True):
        if day != next_day:
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if local_day(middle, zone) == day else (low, middle)
            found.append(high)
    return found


# Half of the touchpoints carry nothing; orders are more often than the rest, or hardly a rule would ever be true.
PROPERTY_SETS = (
    *[{}] * 2 * len(VALUES),
    *({"plan": value} for value in VALUES),
    *({"plan": value, "score": VALUES[place - 7]} for place, value in enumerate(VALUES)),
)
# One draw each, since drawing is what generated tests spend their time on.
FACTS = tuple(itertools.product(("Order", "Order", "Visit", *TYPES), CHANNELS, AMOUNTS))


def _of_any_length(items: st.SearchStrategy, most: int) -> st.SearchStrategy:
    """Lists of each length equally often; lists() alone prefers short ones."""
    return st.integers(0, most).flatmap(lambda length: st.lists(items, min_size=length, max_size=length))


def _histories(draw, instants: st.SearchStrategy, before: st.SearchStrategy, most: int, owners: int) -> list[History]:
    """One to `owners` histories; `before` is how long the life began before the first touchpoint.

    Below zero the first touchpoints lie before the life, as may be while facts arrive out of order."""
    found = []
    for _ in range(draw(st.integers(1, owners))):
        events = draw(_of_any_length(st.tuples(instants, st.sampled_from(FACTS), st.sampled_from(PROPERTY_SETS)), most))
        touchpoints = tuple(Touchpoint(at, *fact, known) for at, fact, known in sorted(events, key=lambda one: one[0]))
        if touchpoints:
            found.append(History(max(touchpoints[0].at - draw(before), FIRST), touchpoints))
        else:
            found.append(History(draw(st.none() | instants)))
    return found


@st.composite
def wild_settings(draw) -> Setting:
    return Setting(draw(st.sampled_from(ZONES)), WILD_WINDOWS, draw(st.sampled_from((180, 30, 1, 3660))))


WILD_INSTANTS = st.one_of(
    st.integers(FIRST, _ms(dt.datetime(2037, 12, 31, tzinfo=dt.UTC))),
    st.integers(_ms(dt.datetime(2023, 1, 1, tzinfo=dt.UTC)), _ms(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))),
    st.integers(_ms(dt.datetime(2055, 1, 1, tzinfo=dt.UTC)), HORIZON + 2),
    st.integers(0, 1_200).map(lambda day: _ms(dt.datetime(2022, 1, 1, tzinfo=dt.UTC)) + day * DAY_MS),
    st.integers(0, 60).map(lambda day: _ms(dt.datetime(2024, 2, 1, tzinfo=dt.UTC)) + day * DAY_MS // 2),
)


@st.composite
def wild_histories(draw) -> list[History]:
    before = st.sampled_from((0, 1, DAY_MS, 400 * DAY_MS))
    return _histories(draw, WILD_INSTANTS, before, 30, 5)


@cache
def odd_changes(zone: str) -> list[int]:
    """The changes of the clock by which a day came back or was left out."""

    def step(at: int) -> int:
        return (local_day(at, zone) - local_day(at - 1, zone)).days

    return [around for around in clock_changes(zone) if any(step(at) != 1 for at in midnights(zone, around))]


@st.composite
def grids(draw, odd_days: bool = False) -> tuple[Setting, int, int]:
    """A setting, the instant the grid is laid around, and its unit, which is the shortest window as well.

    With `odd_days` it is laid around days that came back for a minute, or that were left out."""
    zone = draw(st.sampled_from(ODD_ZONES if odd_days else ZONES))
    unit = draw(st.sampled_from(("1m", "1h", "1d", "15m")))
    length = int(unit[:-1]) * UNIT_MS[unit[-1]]
    windows = tuple(f"{times * int(unit[:-1])}{unit[-1]}" for times in (1, 2, 3, 5))
    changes = (odd_changes if odd_days else clock_changes)(zone) or [_ms(dt.datetime(2024, 3, 10, tzinfo=dt.UTC))]
    around = draw(st.sampled_from(changes))
    anchor = draw(st.sampled_from((around, *midnights(zone, around))))
    lapse_days = draw(st.sampled_from((1, 2, 4) if unit == "1d" else (1,)))
    return Setting(zone, (*windows, "L"), lapse_days), anchor, length


@st.composite
def grid_histories(draw, anchor: int, unit: int) -> list[History]:
    instants = st.sampled_from([anchor + step * unit + jitter for jitter in (0, 0, 0, -1, 1) for step in range(-3, 5)])
    before = st.sampled_from((0, 0, 1, unit, 2 * unit, 2 * unit - 1, 0, -1, -unit))
    return _histories(draw, instants, before, 15, 5)


@st.composite
def told_and_decided(draw, history: History) -> History:
    """The history with traits and with what people decided, at and about the instants of its touchpoints.

    About half of the histories stay as they are."""
    if history.life is None or draw(st.booleans()):
        return history
    known = sorted({history.life, *(e.at for e in history.touchpoints)})
    instants = st.builds(
        lambda at, shift: max(at + shift, FIRST),
        st.sampled_from(known),
        st.sampled_from((0, 0, 0, 1, -1, 60_000, -60_000, DAY_MS, 400 * DAY_MS)),
    )
    told = st.sampled_from(("pro", 1, 0, None, 4, 8, 10, *VALUES))
    changes = st.builds(Change, instants, st.sampled_from(TRAITS), told)
    spans = st.tuples(instants, instants | st.none()).filter(lambda span: span[1] is None or span[0] < span[1])
    lists = st.lists(st.tuples(st.sampled_from(("list", "list", "small", "big", "staged")), spans), max_size=3)
    return replace(
        history,
        traits=draw(st.lists(changes, max_size=5)),
        included=[(key, *span) for key, span in draw(lists)],
        excluded=[(key, *span) for key, span in draw(lists)],
        placed=[
            Placed("model", stage, *span)
            for stage, span in draw(
                st.lists(st.tuples(st.sampled_from(("low", "high", "left", "gone")), spans), max_size=3)
            )
        ],
    )


EVERY_ROLE = (
    *("purchase", "visit", "usage", "subscribe", "cancel", "signup", "onboarding", "refund", "upgrade", "feedback"),
    *("review", "referral", "share", "cart", "checkout", "support", "exposure", "other"),
)
ANSWERS = {
    "feedback": st.builds(lambda nps: {"nps": nps}, st.sampled_from((9, 6, 7, 8, 10, 0, "9", None))),
    "review": st.builds(lambda rating: {"rating": rating}, st.sampled_from((4, 2, 3, 5, 1))),
}
BEGINNINGS = (_ms(dt.datetime(2023, 3, 26, tzinfo=dt.UTC)), _ms(dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)))
GAPS_IN_DAYS = (0, 1, 14, 28, 30, 60, 90, 180, 365)


@st.composite
def lives(draw) -> list[History]:
    """Histories of every role (types named as their roles) with gaps as long as the models' windows."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.sampled_from(BEGINNINGS))
        life = at - draw(st.sampled_from((0, 1, 200 * DAY_MS)))
        touchpoints = []
        steps = st.tuples(st.sampled_from(GAPS_IN_DAYS), st.sampled_from((0, -1, 1)), st.sampled_from(EVERY_ROLE))
        for gap, jitter, role in draw(_of_any_length(steps, 25)):
            at = max(at + gap * DAY_MS + jitter, at)
            amount = draw(st.sampled_from((100, 125, 250, 1))) if role in ("purchase", "refund") else 0
            properties = draw(ANSWERS[role]) if role in ANSWERS else {}
            touchpoints.append(Touchpoint(at, role, "web", -amount if role == "refund" else amount, properties))
        found.append(History(life, tuple(touchpoints)))
    return found

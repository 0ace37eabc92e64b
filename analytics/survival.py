"""How long something lasts when not all of it is over: Kaplan and Meier's estimate, which lets what is still going on
count for as long as it has been seen (censoring), with the interval of its median."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .intervals import Z_95

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

INTERVAL = "Kaplan-Meier, 95 % interval of Brookmeyer and Crowley on the log-log scale"


@dataclass(frozen=True, slots=True)
class Step:
    """After `time`, `share` (0 to 1) are estimated to last on; low, high: its 95 % interval."""

    time: int
    at_risk: int
    events: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Length:
    """How long it takes until half have come to an end, in the unit of the times given; None when less than half have
    within what was seen. low, high: the median's interval, None where it is open."""

    number: int
    ended: int
    median: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class _Estimate:
    """The steps as columns."""

    time: Int64s
    at_risk: Int64s
    ended: Int64s
    share: Floats
    low: Floats
    high: Floats


def _estimate(time: Int64s, ended: Int64s, open_: Int64s) -> _Estimate:
    """From times, rising, with how many came to an end then and how many were seen no longer."""
    gone = np.cumsum(ended + open_)
    at_risk = (gone[-1] if len(gone) else 0) - gone + ended + open_
    steps = ended > 0
    time, ended, at_risk = time[steps], ended[steps], at_risk[steps]
    share = np.cumprod(1 - ended / at_risk)
    left = at_risk - ended
    spread = np.sqrt(np.cumsum(np.where(left > 0, ended / (at_risk * np.maximum(left, 1.0)), 0.0)))
    # On the scale of log(-log(share)) the interval never leaves 0 to 1; where all have ended there is none.
    inner = (share > 0) & (share < 1)
    reach = Z_95 * spread[inner] / np.abs(np.log(share[inner]))
    low, high = share.copy(), share.copy()
    low[inner], high[inner] = share[inner] ** np.exp(reach), share[inner] ** np.exp(-reach)
    return _Estimate(time, at_risk, ended, share, low, high)


def _columns(counts: Mapping[int, tuple[int, int]]) -> tuple[Int64s, Int64s, Int64s]:
    times = sorted(counts)
    ended, open_ = (np.array([counts[time][kind] for time in times], np.int64) for kind in (0, 1))
    return np.array(times, np.int64), ended, open_


def survival(counts: Mapping[int, tuple[int, int]]) -> list[Step]:
    """The steps of the estimate. counts: by time how many came to an end then, and how many were seen no longer."""
    found = _estimate(*_columns(counts))
    columns = (found.time, found.at_risk, found.ended, found.share, found.low, found.high)
    return [Step(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


@dataclass(frozen=True, slots=True)
class Quantile:
    """After how long a part has come to an end, in the unit of the times given; None when fewer have within what was
    seen. low, high: its 95 % interval, None where it is open."""

    time: int | None
    low: int | None
    high: int | None


def quantile(counts: Mapping[int, tuple[int, int]], part: float) -> Quantile:
    """After how long the part (0 to 1) of all has come to an end; the interval as Brookmeyer and Crowley's of the
    median."""
    return quantile_of(*_columns(counts), part)


def quantile_of(time: Int64s, ended: Int64s, open_: Int64s, part: float) -> Quantile:
    """The same from columns: times, rising, with how many came to an end then and how many were seen no longer."""
    return _quantile(_estimate(time, ended, open_), part)


def _quantile(found: _Estimate, part: float) -> Quantile:
    left = 1 - part + 1e-12  # shares are products of floats: what is exactly so much by counting is so much here

    def first(value: Floats) -> int | None:
        below = np.flatnonzero(value <= left)
        return int(found.time[below[0]]) if len(below) else None

    return Quantile(first(found.share), first(found.low), first(found.high))


def length(counts: Mapping[int, tuple[int, int]]) -> Length:
    """The median of the estimate with its interval."""
    return length_of(*_columns(counts))


def length_of(time: Int64s, ended: Int64s, open_: Int64s) -> Length:
    """The same from columns: times, rising, with how many came to an end then and how many were seen no longer."""
    found = _estimate(time, ended, open_)
    half = _quantile(found, 0.5)
    return Length(
        number=int(ended.sum() + open_.sum()),
        ended=int(ended.sum()),
        median=half.time,
        low=half.low,
        high=half.high,
    )

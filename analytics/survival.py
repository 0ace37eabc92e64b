"""How long something lasts when not all of it is over: Kaplan and Meier's estimate, which lets what is still going on
count for as long as it has been seen (censoring), with the interval of its median."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt

from .intervals import Z_95

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


def survival(counts: Mapping[int, tuple[int, int]]) -> list[Step]:
    """The steps of the estimate. counts: by time how many came to an end then, and how many were seen no longer."""
    at_risk = sum(ended + open_ for ended, open_ in counts.values())
    share, variance, steps = 1.0, 0.0, []
    for time in sorted(counts):
        ended, open_ = counts[time]
        if ended:
            share *= 1 - ended / at_risk
            if ended < at_risk:
                variance += ended / (at_risk * (at_risk - ended))
            steps.append(Step(time, at_risk, ended, share, *_interval(share, variance)))
        at_risk -= ended + open_
    return steps


def _interval(share: float, variance: float) -> tuple[float, float]:
    """On the scale of log(-log(share)) the interval never leaves 0 to 1."""
    if not 0 < share < 1:
        return share, share
    reach = Z_95 * sqrt(variance) / abs(log(share))
    return share ** exp(reach), share ** exp(-reach)


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
    steps = survival(counts)
    # Shares are products of floats: what is exactly so much by counting is so much here.
    left = 1 - part + 1e-12

    def first(value: str) -> int | None:
        return next((step.time for step in steps if getattr(step, value) <= left), None)

    return Quantile(first("share"), first("low"), first("high"))


def length(counts: Mapping[int, tuple[int, int]]) -> Length:
    """The median of the estimate with its interval."""
    half = quantile(counts, 0.5)
    return Length(
        number=sum(ended + open_ for ended, open_ in counts.values()),
        ended=sum(ended for ended, _open in counts.values()),
        median=half.time,
        low=half.low,
        high=half.high,
    )

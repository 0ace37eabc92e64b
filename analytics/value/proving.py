"""What a risk of silence is worth: foretold for a stretch of the past from what was known before it, beside what a
naive guess would have said, and against what came.

Forecasts are corrected by how those of the stretch before did. What corrects the forecasts that are judged was learned
before they were made; what corrects those that are told is learned from the stretch that they were judged on."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..intervals import wilson
from .calibrating import Correction, correction
from .everybody import Everybody
from .fitting import Verdict, fit
from .purchases import Floats, Int64s
from .rfm import thresholds

# The stretch a risk speaks of, in days: somebody "at risk" is expected to order nothing within it.
RISK_DAYS = 90
# Fewer of those who ordered, or of those who did not, are too few to say how good a forecast was.
LEAST_OUTCOMES = 50


class Refusal(StrEnum):
    """Why no risk is told."""

    TOO_SHORT = "too_short"
    THIN = "thin"
    NO_MODEL = "no_model"


@dataclass(frozen=True, slots=True)
class Band:
    """Customers of whom a share within a tenth was foretold to be silent, and the share that was; low, high: its 95 %
    interval."""

    tenth: int
    customers: int
    foretold: float
    came: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Before:
    """How the model alone had done in the stretch before: the shares of customers who were foretold to be silent and
    who were; correction: what would have made it right."""

    foretold: float
    came: float
    correction: Correction | None


@dataclass(frozen=True, slots=True)
class Proof:
    """How good the forecast was. error, naive_error: mean squared differences between what was foretold and what came
    (Brier); naive: the share of silent customers among those who had been quiet for about as long, the stretch before;
    base: what saying the same share of everybody errs by. uncorrected_error: of the model alone; judged: what corrected
    the forecasts that error and bands are of; told: what corrects those of the days to come. Both are None where
    nothing could be learned before, or where it made the forecasts worse. before: the stretch before, None where too
    little was known then."""

    customers: int
    silent: int
    error: float
    naive_error: float
    base_error: float
    bands: tuple[Band, ...]
    uncorrected_error: float
    judged: Correction | None
    told: Correction | None
    before: Before | None


def days_needed(until: int) -> tuple[int, int]:
    """The days whose knowledge a proof needs: when the forecast is made, and when the naive one learned."""
    return until - RISK_DAYS, until - 2 * RISK_DAYS


def proof(everybody: Everybody) -> Proof | Refusal:
    """Foretell the last stretch from what was known before it."""
    made, learned = days_needed(everybody.until)
    if everybody.start > learned - RISK_DAYS:
        return Refusal.TOO_SHORT
    together, places = everybody.buyers(made)
    was_silent = _silent(everybody, made, everybody.until)[places]
    silent = int(was_silent.sum())
    if min(silent, len(places) - silent) < LEAST_OUTCOMES:
        return Refusal.THIN
    fitted = fit("mbg", together.purchases)
    # Whoever is never lost may fall silent all the same: this needs no dropout.
    if fitted.model is None:
        return Refusal.THIN if fitted.verdict == Verdict.NOT_ENOUGH_DATA else Refusal.NO_MODEL
    plain = fitted.model.silent(together.purchases, RISK_DAYS)[together.row]
    outcome = was_silent.astype(np.float64)
    base = silent / len(places)
    before = _before(everybody, learned, made)
    foretold, judged = plain, None if before is None else before.correction
    if judged is not None:
        better = judged.corrected(plain)
        if _error(better, outcome) < _error(plain, outcome):
            foretold = better
        else:
            judged = None
    return Proof(
        customers=len(places),
        silent=silent,
        error=_error(foretold, outcome),
        naive_error=_error(_naive(everybody, learned, made, places), outcome),
        base_error=_error(np.full(len(places), base), outcome),
        bands=_bands(foretold, outcome),
        uncorrected_error=_error(plain, outcome),
        judged=judged,
        told=None if judged is None else correction(foretold=plain, came=outcome),
        before=before,
    )


def _before(everybody: Everybody, made: int, ended: int) -> Before | None:
    """How forecasts made at the end of one day did by the end of another; None where there were none, or too few came
    true."""
    together, places = everybody.buyers(made)
    came = _silent(everybody, made, ended)[places].astype(np.float64)
    if min(came.sum(), len(came) - came.sum()) < LEAST_OUTCOMES:
        return None
    fitted = fit("mbg", together.purchases)
    if fitted.model is None:
        return None
    foretold = fitted.model.silent(together.purchases, RISK_DAYS)[together.row]
    return Before(float(foretold.mean()), float(came.mean()), correction(foretold=foretold, came=came))


def _silent(everybody: Everybody, since: int, until: int) -> "np.ndarray":
    """Of each customer whether it ordered nothing after the day `since`, up to and including the day `until`."""
    return everybody.known[since].repeats == everybody.known[until].repeats


def _naive(everybody: Everybody, learned: int, made: int, places: Int64s) -> Floats:
    """Of everybody the share that fell silent of those who had been quiet for about as long, one stretch before."""
    then = np.flatnonzero(everybody.known[learned].repeats >= 0)
    quiet = learned - everybody.first - everybody.known[learned].last
    classes = thresholds(quiet[then], descending=True)
    was_silent = _silent(everybody, learned, made)[then]
    if classes is None:
        return np.full(len(places), 0.5)
    of = classes.classes(quiet[then])
    shares = np.zeros(6)
    for number in classes.numbers:
        shares[number] = was_silent[of == number].mean()
    now = (made - everybody.first - everybody.known[made].last)[places]
    return np.asarray(shares[classes.classes(now)])


def _error(foretold: Floats, outcome: Floats) -> float:
    return float(((foretold - outcome) ** 2).mean())


def _bands(foretold: Floats, outcome: Floats) -> tuple[Band, ...]:
    tenth = tenths(foretold)
    found = []
    for number in range(1, 11):
        inside = tenth == number
        customers, came = int(inside.sum()), int(outcome[inside].sum())
        interval = wilson(came, customers)
        if interval is not None:
            found.append(Band(number, customers, float(foretold[inside].mean()), came / customers, *interval))
    return tuple(found)


def tenths(probabilities: Floats) -> Int64s:
    """1 to 10: in which tenth of 0 to 1 a probability lies; 1 itself is in the last."""
    return np.clip(np.floor(probabilities * 10).astype(np.int64) + 1, 1, 10)

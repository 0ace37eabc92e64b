"""A variant against the control: difference and relative lift with their 95 % intervals and how likely such a
difference is by chance. Pure functions of counts and sums.

Conversions: the difference by Newcombe, the test by z with the pooled share. Money per customer: Welch. The relative
lift of either is a ratio of two means, so its interval is the delta method's on that ratio, never the interval of the
difference divided by the control's mean as if that were known."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from analytics.distributions import student_quantile, student_two_sided, two_sided
from analytics.intervals import Moments, newcombe

NOBODY = "nobody"  # one of the two has nobody in it
ONE = "one"  # one of the two has a single customer: nothing is known of its spread
NO_SPREAD = "no_spread"  # everybody did the same
ZERO_CONTROL = "zero_control"  # the control's mean is zero, or cannot be told from it


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval; what cannot be told is None, and reason says why."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant minus the control. p: two-sided, None where nothing can be tested; error: the standard error of the
    difference, unpooled."""

    difference: Estimate
    lift: Estimate
    p: float | None
    error: float | None
    reason: str = ""


def rate_moments(successes: int, trials: int) -> Moments:
    """A share as a mean. Its variance is p(1 - p), not the sample variance: with the shares that is what the reference
    numbers of delta-method intervals rest on."""
    if trials == 0:
        return Moments(0, None, None)
    share = successes / trials
    return Moments(trials, share, share * (1 - share))


def compare_rates(*, variant: tuple[int, int], control: tuple[int, int]) -> Comparison:
    """Two shares of customers, each (conversions, customers)."""
    (x, n), (y, m) = variant, control
    if not n or not m:
        return _nothing(NOBODY)
    interval = newcombe(variant, control)
    assert interval is not None
    difference = Estimate(x / n - y / m, *interval)
    pooled = (x + y) / (n + m)
    spread = pooled * (1 - pooled)
    first, second = rate_moments(x, n), rate_moments(y, m)
    lift = relative_lift(variant=first, control=second)
    if not spread:
        return Comparison(difference, lift, None, None, NO_SPREAD)
    z = (x / n - y / m) / sqrt(spread * (1 / n + 1 / m))
    return Comparison(difference, lift, two_sided(z), _error(first, second), "")


def compare_means(*, variant: Moments, control: Moments) -> Comparison:
    """Two means of money per customer, by Welch."""
    if variant.mean is None or control.mean is None:
        return _nothing(NOBODY)
    gap = variant.mean - control.mean
    if variant.variance is None or control.variance is None:
        return Comparison(Estimate(gap, reason=ONE), Estimate(reason=ONE), None, None, ONE)
    error = _error(variant, control)
    lift = relative_lift(variant=variant, control=control)
    if not error:
        return Comparison(Estimate(gap, reason=NO_SPREAD), lift, None, None, NO_SPREAD)
    freedom = welch_freedom(variant, control)
    half = student_quantile(0.975, freedom) * error
    p = student_two_sided(gap / error, freedom)
    return Comparison(Estimate(gap, gap - half, gap + half), lift, p, error, "")


def relative_lift(*, variant: Moments, control: Moments) -> Estimate:
    """variant / control - 1 by the delta method on the ratio. Nothing is told of a control whose mean is not clearly
    above zero: a ratio to what may be nothing can be anything."""
    if variant.mean is None or control.mean is None:
        return Estimate(reason=NOBODY)
    if variant.variance is None or control.variance is None:
        return Estimate(reason=ONE)
    of_control = control.variance / control.count
    if control.mean <= 0 or control.mean**2 <= 4 * of_control:
        return Estimate(reason=ZERO_CONTROL)
    ratio = variant.mean / control.mean
    variance = variant.variance / variant.count / control.mean**2 + ratio**2 * of_control / control.mean**2
    if not variance:
        return Estimate(ratio - 1, reason=NO_SPREAD)
    half = student_quantile(0.975, welch_freedom(variant, control)) * sqrt(variance)
    return Estimate(ratio - 1, ratio - 1 - half, ratio - 1 + half)


def welch_freedom(first: Moments, second: Moments) -> float:
    """Degrees of freedom by Welch and Satterthwaite; both need a variance, one of them above zero."""
    assert first.variance is not None and second.variance is not None
    a, b = first.variance / first.count, second.variance / second.count
    parts = a * a / max(1, first.count - 1) + b * b / max(1, second.count - 1)
    # Spreads so small that their squares are no numbers any more: the smaller group alone counts.
    return (a + b) ** 2 / parts if parts else float(max(1, min(first.count, second.count) - 1))


def holm(chances: Sequence[float | None]) -> list[float | None]:
    """p values of several questions, adjusted by Holm (1979) so that the chance of any false alarm stays what it was;
    those that are None were not asked."""
    asked = sorted((p, place) for place, p in enumerate(chances) if p is not None)
    answer: list[float | None] = [None] * len(chances)
    largest = 0.0
    for rank, (p, place) in enumerate(asked):
        largest = max(largest, min(1.0, p * (len(asked) - rank)))
        answer[place] = largest
    return answer


def _error(first: Moments, second: Moments) -> float | None:
    if first.variance is None or second.variance is None:
        return None
    return sqrt(first.variance / first.count + second.variance / second.count)


def _nothing(reason: str) -> Comparison:
    return Comparison(Estimate(reason=reason), Estimate(reason=reason), None, None, reason)

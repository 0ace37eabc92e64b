"""How sure a number is: 95 % intervals of rates, of their differences, of net promoter scores and of means.

Whatever cannot be told (nobody asked, one answer, no spread) is None, never NaN or infinity."""

from dataclasses import dataclass
from math import sqrt

from .distributions import student_quantile

Z_95 = 1.959963984540054
_CONFIDENCE = 0.975  # of both ends together 95 %


@dataclass(frozen=True, slots=True)
class Moments:
    """What is known of some values: how many, their mean, and their sample variance, None of fewer than two."""

    count: int
    mean: float | None
    variance: float | None


def moments(*, count: int, total: int, squares: int) -> Moments:
    """From exact sums of whole numbers, so that nothing cancels out: (squares - total^2 / count) is one division."""
    if count == 0:
        return Moments(0, None, None)
    spread = (count * squares - total * total) / (count * (count - 1)) if count > 1 else None
    return Moments(count, total / count, spread)


def wilson(successes: int, trials: int) -> tuple[float, float] | None:
    """The 95 % score interval of Wilson (1927) for a proportion, both ends from 0 to 1; None without trials."""
    if trials == 0:
        return None
    share = successes / trials
    weight = Z_95**2 / trials
    middle = (share + weight / 2) / (1 + weight)
    half = Z_95 / (1 + weight) * sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float] | None:
    """The 95 % hybrid score interval of Newcombe (1998) for the difference of two proportions, first - second, each
    (successes, trials); both ends from -1 to 1; None where one has no trials."""
    a, b = wilson(*first), wilson(*second)
    if a is None or b is None:
        return None
    p, q = first[0] / first[1], second[0] / second[1]
    low = p - q - sqrt((p - a[0]) ** 2 + (b[1] - q) ** 2)
    high = p - q + sqrt((a[1] - p) ** 2 + (q - b[0]) ** 2)
    return max(-1.0, low), min(1.0, high)


def nps_interval(promoters: int, passives: int, detractors: int) -> tuple[float, float] | None:
    """The adjusted Wald interval of a net promoter score, both ends from -1 to 1: Wald's after three answers more,
    three quarters of one on either side and the rest in the middle (Rocks 2016). None without answers."""
    answers = promoters + passives + detractors
    if answers == 0:
        return None
    more = answers + 3
    up, down = (promoters + 0.75) / more, (detractors + 0.75) / more
    half = Z_95 * sqrt((up + down - (up - down) ** 2) / more)
    return max(-1.0, up - down - half), min(1.0, up - down + half)


def mean_interval(values: Moments) -> tuple[float, float] | None:
    """Student's interval of a mean; None of fewer than two values, or where all are the same."""
    if values.mean is None or not values.variance:
        return None
    half = student_quantile(_CONFIDENCE, values.count - 1) * sqrt(values.variance / values.count)
    return values.mean - half, values.mean + half

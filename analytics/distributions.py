"""The few probabilities that intervals and tests need, without SciPy: a web worker that shows one interval should not
load sixty megabytes. Continued fractions as in Lentz (1976); tests hold them against SciPy to ten digits."""

from functools import lru_cache
from math import exp, inf, lgamma, log, log1p, pi, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300
_STEPS = 20_000
# Above so many degrees of freedom Student's distribution is the normal one to ten digits.
_MANY = 1e10


def normal_cdf(z: float) -> float:
    """The probability that a standard normal value is at most z."""
    return _NORMAL.cdf(z)


def normal_quantile(probability: float) -> float:
    """The z of a probability strictly between 0 and 1."""
    return _NORMAL.inv_cdf(probability)


def two_sided(z: float) -> float:
    """The probability that a standard normal value lies further from zero than z, without losing digits far out."""
    return chi_square_tail(z * z, 1)


def student_two_sided(t: float, freedom: float) -> float:
    """The same for Student's t with so many degrees of freedom (above zero, need not be whole)."""
    if freedom >= _MANY:
        return two_sided(t)
    return _beta_ratio(freedom / 2, freedom / (freedom + t * t), t * t / (freedom + t * t))


@lru_cache(maxsize=4096)
def student_quantile(probability: float, freedom: float) -> float:
    """The t of a probability from 0.5 on, below 1."""
    z = normal_quantile(probability)
    if freedom >= _MANY or z == 0:
        return z
    wanted = 2 * (1 - probability)
    low, high = 0.0, max(2.0, 2 * z)
    while student_two_sided(high, freedom) > wanted:
        low, high = high, high * 2
    t = min(high, z + (z**3 + z) / (4 * freedom))  # Cornish and Fisher; good above some ten degrees of freedom
    for _step in range(200):
        off = student_two_sided(t, freedom) - wanted
        low, high = (t, high) if off > 0 else (low, t)
        better = t + off / (2 * _student_density(t, freedom))
        following = better if low < better < high else (low + high) / 2
        if abs(following - t) <= 1e-13 * following:
            return following
        t = following
    return t


def chi_square_tail(value: float, freedom: int) -> float:
    """The probability that chi-square with so many degrees of freedom is above a value."""
    if value <= 0:
        return 1.0
    half, x = freedom / 2, value / 2
    head = exp(half * log(x) - x - lgamma(half))
    if x < half + 1:
        term = total = 1 / half
        for step in range(1, _STEPS):
            term *= x / (half + step)
            total += term
            if term < total * 1e-17:
                break
        return max(0.0, 1 - head * total)
    below = x + 1 - half
    left, right = 1 / _TINY, 1 / below
    found = right
    for step in range(1, _STEPS):
        factor = -step * (step - half)
        below += 2
        right = 1 / _apart(factor * right + below)
        left = _apart(below + factor / left)
        found *= left * right
        if abs(left * right - 1) < 1e-16:
            break
    return head * found


def _student_density(t: float, freedom: float) -> float:
    return exp(_half_step(freedom / 2) - (freedom + 1) / 2 * log1p(t * t / freedom)) / sqrt(freedom * pi)


def _half_step(a: float) -> float:
    """lgamma(a + 1/2) - lgamma(a); of large a by its series, since the two are then all but the same."""
    if a < 100:
        return lgamma(a + 0.5) - lgamma(a)
    return log(a) / 2 - 1 / (8 * a) + 1 / (192 * a**3)


def _beta_ratio(a: float, x: float, rest: float) -> float:
    """The regularised incomplete beta function of x with the parameters a and 1/2; rest: 1 - x, which is exact where x
    is nearly 1."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    of_x = log1p(-rest) if rest < 0.5 else log(x)
    head = exp(_half_step(a) - log(pi) / 2 + a * of_x + log(rest) / 2)
    if x < (a + 1) / (a + 2.5):
        return head * _fraction(a, 0.5, x) / a
    return 1 - 2 * head * _fraction(0.5, a, rest)


def _fraction(a: float, b: float, x: float) -> float:
    left, right = 1.0, 1 / _apart(1 - (a + b) * x / (a + 1))
    found = right
    for step in range(1, _STEPS):
        for factor in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            right = 1 / _apart(1 + factor * right)
            left = _apart(1 + factor / left)
            found *= left * right
        if abs(left * right - 1) < 1e-16:
            break
    return found


def _apart(value: float) -> float:
    """A denominator that is not zero."""
    assert abs(value) < inf
    return value if abs(value) > _TINY else _TINY

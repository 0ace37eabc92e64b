"""How many customers an experiment needs, before it starts: enough to find a difference of the size that matters with
the probability asked for, at 5 % false alarms, two-sided."""

from math import ceil, sqrt

from analytics.distributions import normal_quantile

ALPHA, POWER = 0.05, 0.8


def customers_for_rates(*, baseline: float, lift: float, power: float = POWER, alpha: float = ALPHA) -> int:
    """Customers per variant to find a relative lift of a share. baseline strictly between 0 and 1; lift not zero, and
    the lifted share strictly between 0 and 1 too; ValueError otherwise."""
    better = baseline * (1 + lift)
    if not 0 < baseline < 1 or not 0 < better < 1 or not lift:
        raise ValueError("shares lie strictly between 0 and 1, and the lift is not zero")
    middle = (baseline + better) / 2
    alarm = _alarm(alpha) * sqrt(2 * middle * (1 - middle))
    found = normal_quantile(power) * sqrt(baseline * (1 - baseline) + better * (1 - better))
    return _whole(((alarm + found) / (better - baseline)) ** 2)


def customers_for_means(*, deviation: float, difference: float, power: float = POWER, alpha: float = ALPHA) -> int:
    """Customers per variant to find a difference of money per customer. deviation: the standard deviation of what one
    customer spends; both above zero."""
    if deviation <= 0 or difference <= 0:
        raise ValueError("the deviation and the difference are above zero")
    return _whole(2 * ((_alarm(alpha) + normal_quantile(power)) * deviation / difference) ** 2)


def _alarm(alpha: float) -> float:
    return normal_quantile(1 - alpha / 2)


def _whole(number: float) -> int:
    """No variance can be seen among fewer than two."""
    return max(2, ceil(number - 1e-9))

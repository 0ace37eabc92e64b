"""How sure a rate is."""

from math import sqrt

Z_95 = 1.959963984540054


def wilson(successes: int, trials: int) -> tuple[float, float] | None:
    """The 95 % score interval of Wilson (1927) for a proportion, both ends from 0 to 1; None without trials."""
    if trials == 0:
        return None
    share = successes / trials
    weight = Z_95**2 / trials
    middle = (share + weight / 2) / (1 + weight)
    half = Z_95 / (1 + weight) * sqrt(share * (1 - share) / trials + weight / (4 * trials))
    return max(0.0, middle - half), min(1.0, middle + half)

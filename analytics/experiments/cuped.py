"""CUPED (Deng, Xu, Kohavi and Walker 2013): what customers spent before they were assigned explains part of what they
spend after, and nothing that a variant did can have changed it. Taking that part off leaves the difference where it is
and makes its interval narrower."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.intervals import Moments


@dataclass(frozen=True, slots=True)
class Sums:
    """Exact sums over the customers of one variant, in minor units: of what they spent after (y) and before (x)."""

    count: int = 0
    y: int = 0
    yy: int = 0
    x: int = 0
    xx: int = 0
    xy: int = 0


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Means with the explained part taken off. slope: money after per money before, the same for all variants; removed:
    the share of the variance that is gone, 0 to 1."""

    slope: float
    removed: float
    variants: tuple[Moments, ...]


def adjusted(variants: Sequence[Sums]) -> Adjusted | None:
    """None where nothing can be explained: fewer than two customers in a variant, nobody who differs before, or nobody
    who differs after."""
    if not variants or any(one.count < 2 for one in variants):
        return None
    # Within variants, so that a difference between them is not taken for an explanation.
    inside = [_inside(one) for one in variants]
    sxx = sum(one[0] for one in inside)
    sxy = sum(one[1] for one in inside)
    syy = sum(one[2] for one in inside)
    if not sxx or not syy:
        return None
    slope = sxy / sxx
    middle = sum(one.x for one in variants) / sum(one.count for one in variants)
    found = tuple(
        Moments(
            one.count,
            one.y / one.count - slope * (one.x / one.count - middle),
            max(0.0, (yy - 2 * slope * xy + slope * slope * xx) / (one.count - 1)),
        )
        for one, (xx, xy, yy) in zip(variants, inside, strict=True)
    )
    return Adjusted(slope, min(1.0, sxy * sxy / (sxx * syy)), found)


def _inside(one: Sums) -> tuple[float, float, float]:
    """Sums of squares and products about the variant's own means; one division of exact whole numbers each."""
    return (
        (one.count * one.xx - one.x * one.x) / one.count,
        (one.count * one.xy - one.x * one.y) / one.count,
        (one.count * one.yy - one.y * one.y) / one.count,
    )

"""Whether customers were shared out as the weights say. Where they were not, something lost or added customers of one
variant, and no difference between variants can be believed."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.distributions import chi_square_tail

# So unlikely shares are no accident (a sample-ratio mismatch): the verdict is withheld.
BLOCKS_BELOW = 0.001


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """chi_square, p: None where there is nothing to compare."""

    chi_square: float | None
    p: float | None

    @property
    def blocks(self) -> bool:
        """Whether no verdict can be given."""
        return self.p is not None and self.p < BLOCKS_BELOW


def sample_ratio(*, counts: Sequence[int], weights: Sequence[int]) -> SampleRatio:
    """Counts of customers against the weights they were shared out by. Somebody in a variant without weight is a
    mismatch by itself."""
    total, whole = sum(counts), sum(weights)
    asked = [(count, weight) for count, weight in zip(counts, weights, strict=True) if weight]
    if not total or len(asked) < 2:
        return SampleRatio(None, None)
    if sum(count for count, _weight in asked) < total:
        return SampleRatio(None, 0.0)
    value = sum((count - total * weight / whole) ** 2 / (total * weight / whole) for count, weight in asked)
    return SampleRatio(value, chi_square_tail(value, len(asked) - 1))

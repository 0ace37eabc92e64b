"""Who gets which variant: a salted hash of a permanent id, so that the answer is the same on every machine, for ever,
and says nothing about any other experiment.

The place of somebody is the first eight bytes, most significant first, of SHA-256 over `salt:id` in UTF-8: a whole
number below 2^64. The variants share out the line from 0 to 2^64 in their order, each as much as its weight is of all
weights; the variant is the one in whose share the place lies. All of it is exact arithmetic of whole numbers, so
another program can repeat it from this paragraph.

When one weight grows and no other does, nobody leaves the variant that grew: its share begins no later and ends no
earlier than before. Whoever was assigned is stored all the same (`campaigns.models.Assignment`): weights may change,
what somebody was given may not."""

from collections.abc import Sequence
from hashlib import sha256

PLACES = 1 << 64


def place(*, salt: str, unit: int) -> int:
    """Where somebody stands on the line [0, 2^64). unit: the permanent id, written in decimal digits."""
    return int.from_bytes(sha256(f"{salt}:{unit}".encode()).digest()[:8], "big")


def variant_at(*, place: int, weights: Sequence[int]) -> int:
    """The position of the variant whose share of the line holds a place. weights: whole numbers, not below zero,
    of which one is above; ValueError otherwise."""
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights are whole numbers, not below zero, and one of them is above")
    if not 0 <= place < PLACES:
        raise ValueError("a place lies between 0 and 2^64")
    end = 0
    for position, weight in enumerate(weights):
        end += weight
        if place * total < end * PLACES:
            return position
    raise AssertionError("shares cover the whole line")


def variant_of(*, salt: str, unit: int, weights: Sequence[int]) -> int:
    """The position of the variant that somebody is given."""
    return variant_at(place=place(salt=salt, unit=unit), weights=weights)

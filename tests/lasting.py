"""Tests that could go on for ever. `make test` has a seeded minute of them all, the same each time; under `make soak`
each is repeated with what was never tried before until its share of the time has gone (tests/soak.py).

`@pytest.mark.lasting("rules")` names a kind: its tests share so many minutes. Without a kind a test is run once by
`make soak` too, at whatever length it finds in SOAKING."""

import os
import secrets
import sys

import pytest

# Minutes for each kind; 0 means that this is no soak.
MINUTES = float(os.environ.get("CLM_SOAK_MINUTES", "0"))
SOAKING = MINUTES > 0
# How long the running test may go on, in seconds; for one that keeps the time itself.
SHARE = pytest.StashKey[float]()


def seed(fixed: int) -> int:
    """Of whatever a test draws at random: `fixed`, in a soak a new one for each round, which a failure shows. To have
    a round of a soak again: CLM_SOAK_SEED."""
    if not SOAKING:
        return fixed
    drawn = int(os.environ.get("CLM_SOAK_SEED", "0")) or secrets.randbits(32)
    sys.stdout.write(f"CLM_SOAK_SEED={drawn}\n")
    return drawn

"""How long generated tests go on: a fixed, seeded minute in all, or about CLM_SOAK seconds with new seeds each time."""

import os

from hypothesis import HealthCheck, settings

SEEDED_SECONDS = 60
SOAK_SECONDS = int(os.environ.get("CLM_SOAK", "0"))


def effort(examples: int) -> settings:
    """Settings for a test whose share of the seeded minute is `examples`."""
    return settings(
        max_examples=max(examples, examples * SOAK_SECONDS // SEEDED_SECONDS),
        derandomize=SOAK_SECONDS == 0,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )

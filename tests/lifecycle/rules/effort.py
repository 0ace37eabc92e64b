"""How long generated tests of rules go on: a fixed, seeded minute in all. `make soak` repeats them with new seeds."""

from hypothesis import HealthCheck, settings

from tests.lasting import SOAKING


def effort(examples: int) -> settings:
    """Settings for a test whose share of the seeded minute is `examples`."""
    return settings(
        # A soak repeats a tenth of it, so that each test may end when its share of the time has gone.
        max_examples=examples // 10 if SOAKING else examples,
        derandomize=not SOAKING,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )

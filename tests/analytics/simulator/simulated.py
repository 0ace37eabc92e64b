"""What the tests of the simulator share."""

from datetime import UTC, date, datetime

from analytics.simulator.parameters import Parameters
from analytics.simulator.run import Simulated, simulate
from analytics.simulator.timeline import Span
from clm.lib.milliseconds import to_ms

P = Parameters()
NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
UNTIL = date(2026, 6, 1)
END = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2024, 6, 1, tzinfo=UTC)
SPAN = Span(start=to_ms(START), until=to_ms(END))


def expected_repeats(parameters: Parameters, days: float) -> float:
    """Purchases after the first expected of one buyer: Fader, Hardie and Lee 2005, equation 9."""
    r, alpha, a, b = parameters.purchase_r, parameters.purchase_alpha, parameters.dropout_a, parameters.dropout_b
    z, term, hypergeometric = days / (alpha + days), 1.0, 1.0
    for n in range(5_000):
        term *= (r + n) * (b + n) / (a + b - 1 + n) / (n + 1) * z
        hypergeometric += term
    return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + days)) ** r * hypergeometric)


def run(people: int, *, seed: int = 5, stages: bool = False, **more) -> Simulated:
    return simulate(
        people=people,
        seed=seed,
        until=UNTIL,
        now=NOW,
        tell=lambda _sentence: None,
        vacuums=False,
        computes_stages=stages,
        **more,
    )

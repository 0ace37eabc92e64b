"""How simulated people subscribe: a trial, periods paid in advance, an upgrade, an end, perhaps another beginning."""

import numpy as np
import numpy.typing as npt

from .kinds import REASONS, Kind
from .parameters import Parameters
from .timeline import DAY, HOUR, Int64s, Random, Span, Timeline, days

_SMALL, _LARGE = 0, 1  # positions of the plans


def contracts(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    people: Int64s,
    since: Int64s,
    span: Span,
    app: int,
    web: int,
) -> None:
    """Contracts of people who subscribe. since: when they signed up."""
    line.add(Kind.TRIAL, people, since + 60_000, channel=app)
    took = np.flatnonzero(random.random(len(people)) < parameters.trial_conversion)
    who, began = people[took], since[took] + parameters.trial_days * DAY
    began = began + HOUR * random.random(len(took))
    paid = np.zeros(len(took), np.int64)
    ended, paid = _contract(parameters, random, line, who, began, paid, span, app, web, may_upgrade=True)
    back = np.flatnonzero(random.random(len(who)) < parameters.comeback_share)
    again = ended[back] + 10 * DAY + days(random.exponential(parameters.comeback_days, len(back)))
    _contract(parameters, random, line, who[back], again, paid[back], span, app, web, may_upgrade=False)


def _contract(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    who: Int64s,
    began: npt.NDArray[np.float64],
    invoices: Int64s,
    span: Span,
    app: int,
    web: int,
    *,
    may_upgrade: bool,
) -> tuple[npt.NDArray[np.float64], Int64s]:
    """One contract each; when they end and how many invoices each person then has. Every period is paid when it begins;
    at the end of each the contract ends with the same probability, or is renewed."""
    period = parameters.period_days * DAY
    # No contract is followed further than the simulated time; one that lasts longer has no end in it.
    reach = int((span.until - span.start) / period) + 2
    periods = np.minimum(random.geometric(parameters.contract_churn, len(who)), reach).astype(np.int64)
    prices = np.rint(np.array([price for _plan, price in parameters.plans]) * span.minor).astype(np.int64)
    line.add(Kind.SUBSCRIBED, who, began, channel=web, value=_SMALL)
    line.add(Kind.INVOICE, who, began + 1_000, channel=app, value=_SMALL, amount=prices[_SMALL], ref=invoices)
    # The renewal from which on the large plan is paid; beyond the last one: never.
    upgrade = random.geometric(parameters.upgrade_share, len(who)).astype(np.int64)
    upgrade = upgrade if may_upgrade else np.full(len(who), reach + 1)
    which = np.repeat(np.arange(len(who)), periods - 1)
    renewal = np.arange(len(which)) - np.repeat(np.cumsum(periods - 1) - (periods - 1), periods - 1) + 1
    at = began[which] + renewal * period
    plan = (renewal >= upgrade[which]).astype(np.int64)
    ref = invoices[which] + renewal
    line.add(Kind.RENEWED, who[which], at, channel=app, value=plan, amount=prices[plan], ref=ref)
    upgraded = np.flatnonzero(upgrade < periods)
    line.add(
        Kind.UPGRADED, who[upgraded], began[upgraded] + upgrade[upgraded] * period - 60_000, channel=web, value=_LARGE
    )
    ended = began + periods * period
    reason = random.integers(0, len(REASONS), len(who))
    line.add(Kind.CANCELLED, who, ended, channel=web, value=reason)
    return ended, invoices + periods

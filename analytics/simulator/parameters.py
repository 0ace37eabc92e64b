"""Everything the simulator knows: the numbers behind its people, in one frozen value. Tests recover them from stored
rows, so each says what it is a share or a mean of. Times are in days unless named otherwise."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Way:
    """A way by which people find the shop: its share among all people, and what one person costs in whole units of the
    reporting currency. is_paid: it shows ads and is spend on media."""

    channel: str
    share: float
    cost: float
    is_paid: bool


@dataclass(frozen=True, slots=True)
class Parameters:
    """How the simulated people behave.

    The purchase process is BG/NBD in continuous time (Fader, Hardie and Lee 2005, their CDNOW estimates in days), what
    an order costs gamma-gamma, how long a contract lasts geometric."""

    # How people are met.
    ways: tuple[Way, ...] = (
        Way("search", 0.32, 2.40, True),
        Way("social", 0.24, 1.80, True),
        Way("display", 0.14, 1.10, True),
        Way("direct", 0.18, 0.0, False),
        Way("partner", 0.12, 0.60, False),
    )
    further_ads: float = 1.6  # of paid ways: Poisson, beside the first
    visit_share: float = 0.88  # of all people
    further_visits: float = 2.0  # Poisson, of visitors, beside the first, within visit_days
    visit_days: float = 10.0
    # How they sign up and settle in.
    signup_share: float = 0.52  # of visitors
    signup_days: float = 3.0  # exponential, after the first visit
    onboarding_steps: int = 4
    onboarding_step_share: float = 0.78  # of those who completed the step before
    usage_shape: float = 0.9  # gamma, of the rate of use among people
    usage_a_day: float = 0.13  # its mean
    usage_life: float = 150.0  # exponential, until people stop using it
    second_device_share: float = 0.024  # of those signed up: visit from another device, then sign in there
    # How they buy.
    contract_share: float = 0.25  # of those signed up; the others may buy singly
    first_order_share: float = 0.60  # of the others
    first_order_days: float = 6.0  # exponential, after half a day
    purchase_r: float = 0.243
    purchase_alpha: float = 30.898
    dropout_a: float = 0.793
    dropout_b: float = 2.426
    spend_p: float = 6.25
    spend_q: float = 3.74
    spend_gamma: float = 15.44
    cart_conversion: float = 0.58  # orders among the carts of buyers
    checkout_share: float = 0.35  # of abandoned carts
    idle_cart_share: float = 0.25  # of people without an order
    lines_share: float = 0.5  # of orders that say their lines
    # Contracts, in periods of 30 days.
    trial_conversion: float = 0.62  # of trials
    trial_days: float = 14.0
    period_days: float = 30.0
    contract_churn: float = 0.07  # of contracts at the end of each paid period
    upgrade_share: float = 0.035  # of small contracts at each renewal
    plans: tuple[tuple[str, float], ...] = (("basic", 9.0), ("plus", 19.0))  # price of a period
    comeback_share: float = 0.2  # of cancelled contracts
    comeback_days: float = 60.0  # exponential, after ten days
    # What follows an order.
    refund_share: float = 0.055
    partial_refund_share: float = 0.3  # of refunds, half the amount
    ticket_share: float = 0.09
    further_replies: float = 0.6  # Poisson, beside the first
    resolved_share: float = 0.92  # of tickets
    csat_share: float = 0.45  # of resolved tickets
    csat: tuple[float, ...] = (0.06, 0.07, 0.15, 0.32, 0.40)  # of 1 to 5
    nps_share: float = 0.16  # of orders
    nps: tuple[float, ...] = (0.02, 0.01, 0.02, 0.03, 0.03, 0.06, 0.08, 0.14, 0.18, 0.20, 0.23)  # of 0 to 10
    # Surveys, by mail: who was asked, beside those above who answered. Of each kind the share of those asked who
    # answer.
    nps_response: float = 0.40
    csat_response: float = 0.60
    ces_asked_share: float = 0.10  # of orders
    ces_response: float = 0.35
    ces: tuple[float, ...] = (0.04, 0.05, 0.08, 0.13, 0.22, 0.28, 0.20)  # of 1 to 7
    comment_share: float = 0.30  # of answers of each kind
    review_share: float = 0.11
    rating: tuple[float, ...] = (0.05, 0.05, 0.12, 0.30, 0.48)  # of 1 to 5
    referral_share: float = 0.30  # of answers of 9 or 10
    share_share: float = 0.04  # of orders that people tell others of
    # Letters.
    consent_share: float = 0.55  # of those signed up
    withdrawal_share: float = 0.2  # of consents
    withdrawal_days: float = 150.0  # exponential
    letter_days: float = 30.0
    opened_share: float = 0.34  # of letters
    clicked_share: float = 0.18  # of opened letters
    # How messages arrive.
    late_share: float = 0.03  # of messages but sign-ups and those of second devices
    late_days: float = 1.5  # exponential, after an hour
    repeated_share: float = 0.005  # of messages
    conflict_share: float = 0.08  # of repeated messages
    # Traits.
    countries: tuple[tuple[str, float], ...] = (
        ("GB", 0.30), ("DE", 0.20), ("FR", 0.14), ("NL", 0.10), ("US", 0.18), ("SE", 0.08),
    )  # fmt: skip

    def document(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def mean_order(parameters: Parameters) -> float:
    """The expected amount of an order, in whole units: p * gamma / (q - 1)."""
    return parameters.spend_p * parameters.spend_gamma / (parameters.spend_q - 1)

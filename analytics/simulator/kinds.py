"""The kinds of touchpoints that are simulated: their type, and what their properties can say."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

WEB, APP, EMAIL, CHAT = "web", "app", "email", "chat"
CAMPAIGN = "simulated-{channel}"
CATEGORIES = ("kitchen", "garden", "stationery", "toys")
PRODUCTS = tuple(
    (f"SIM-{number:03d}", f"Simulated article {number}", CATEGORIES[number % 4]) for number in range(1, 41)
)
FEATURES = ("search", "wishlist", "export", "sharing", "reports")
SUBJECTS = ("delivery", "payment", "damaged", "how to use", "return")
REASONS = ("price", "not needed", "went elsewhere")


class Kind(IntEnum):
    AD_SHOWN = 0
    AD_CLICKED = 1
    PAGE = 2
    SIGNED_UP = 3
    STEP = 4
    ONBOARDED = 5
    USED = 6
    SIGNED_IN = 7
    CART = 8
    CHECKOUT = 9
    ORDER = 10
    REFUND = 11
    OPENED = 12
    REPLIED = 13
    RESOLVED = 14
    NPS = 15
    CSAT = 16
    REVIEW = 17
    REFERRAL = 18
    SHARED = 19
    TRIAL = 20
    SUBSCRIBED = 21
    INVOICE = 22
    RENEWED = 23
    UPGRADED = 24
    CANCELLED = 25
    LETTER = 26
    LETTER_OPENED = 27
    LETTER_CLICKED = 28
    UNSUBSCRIBED = 29


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind: its type, its properties by the touchpoint's value, and whether it speaks of an order or a ticket.
    A ticket's reference is added to its properties."""

    type: str
    said: tuple[dict[str, Any], ...] = ({},)
    refers_to: str = ""


PAGES = tuple({"path": path} for path in ("/", "/products", "/sale", "/about", "/basket"))
LETTERS = ({"campaign": "newsletter"},)
PLANS = ("basic", "plus")


def _of_plans(**more: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"plan": plan, **more} for plan in PLANS)


def _ticket(event: str) -> tuple[dict[str, Any], ...]:
    return tuple({"event": event, "subject": subject} for subject in SUBJECTS)


def shapes(channels: tuple[str, ...]) -> dict[Kind, Shape]:
    """The kinds of a population that is met over `channels`, whose campaigns ads name by position."""
    ads = tuple({"campaign": CAMPAIGN.format(channel=channel)} for channel in channels)
    products = tuple({"product": key, "category": category} for key, _name, category in PRODUCTS)
    return {
        Kind.AD_SHOWN: Shape("Ad Shown", ads),
        Kind.AD_CLICKED: Shape("Ad Clicked", ads),
        Kind.PAGE: Shape("Page Viewed", PAGES),
        Kind.SIGNED_UP: Shape("Signed Up"),
        Kind.STEP: Shape("Onboarding Step Completed", tuple({"step": step} for step in range(20))),
        Kind.ONBOARDED: Shape("Onboarding Completed"),
        Kind.USED: Shape("Feature Used", tuple({"feature": feature} for feature in FEATURES)),
        Kind.SIGNED_IN: Shape("Signed In"),
        Kind.CART: Shape("Product Added", products),
        Kind.CHECKOUT: Shape("Checkout Started"),
        Kind.ORDER: Shape("Order Completed", refers_to="order"),
        Kind.REFUND: Shape("Order Refunded", refers_to="order"),
        Kind.OPENED: Shape("Ticket Opened", _ticket("opened"), "ticket"),
        Kind.REPLIED: Shape("Ticket Replied", _ticket("replied"), "ticket"),
        Kind.RESOLVED: Shape("Ticket Resolved", _ticket("resolved"), "ticket"),
        Kind.NPS: Shape("Survey Answered", tuple({"nps": nps} for nps in range(11))),
        Kind.CSAT: Shape("Feedback Submitted", tuple({"csat": csat} for csat in range(6))),
        Kind.REVIEW: Shape("Product Reviewed", tuple({"rating": rating} for rating in range(6))),
        Kind.REFERRAL: Shape("Referral Made"),
        Kind.SHARED: Shape("Product Shared", products),
        Kind.TRIAL: Shape("Trial Started"),
        Kind.SUBSCRIBED: Shape("Subscription Started", _of_plans()),
        Kind.INVOICE: Shape("Invoice Paid", _of_plans(period=1), "order"),
        Kind.RENEWED: Shape("Subscription Renewed", _of_plans(), "order"),
        Kind.UPGRADED: Shape("Subscription Upgraded", _of_plans()),
        Kind.CANCELLED: Shape("Subscription Cancelled", tuple({"reason": reason} for reason in REASONS)),
        Kind.LETTER: Shape("Email Sent", LETTERS),
        Kind.LETTER_OPENED: Shape("Email Opened", LETTERS),
        Kind.LETTER_CLICKED: Shape("Email Link Clicked", LETTERS),
        Kind.UNSUBSCRIBED: Shape("Email Unsubscribed", LETTERS),
    }

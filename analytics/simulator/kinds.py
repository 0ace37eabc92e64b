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
    ASKED = 30
    CES = 31


# Kinds that came later. They are numbered and drawn apart, so the same seed makes of all others what it always made.
LATER = (Kind.ASKED, Kind.CES)


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


# What people write beside an answer, by how they feel about it.
COMMENTS = {
    "bad": ("It took far too long.", "Nobody could tell me where it was.", "Not what I had ordered."),
    "fair": ("It was all right.", "Delivery could be quicker.", "Fine, but the page is slow."),
    "good": ("Quick and friendly.", "Exactly as described.", "I would order again at once."),
}
SURVEYS = ("nps", "csat", "ces")
# By kind of answer: the scores there are, and which of them feel bad and which fair; the others feel good.
SCORES = {"nps": (11, 7, 9), "csat": (6, 3, 4), "ces": (8, 4, 5)}


def _answers(survey: str) -> tuple[dict[str, Any], ...]:
    """What answers can say: every score without a comment, then every score with each comment of its mood."""
    count, fair, good = SCORES[survey]
    moods = ["bad" if score < fair else "fair" if score < good else "good" for score in range(count)]
    plain = [{survey: score} for score in range(count)]
    said = [{survey: score, "comment": COMMENTS[moods[score]][number]} for number in range(3) for score in range(count)]
    return (*plain, *said)


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
        Kind.NPS: Shape("Survey Answered", _answers("nps")),
        Kind.CSAT: Shape("Feedback Submitted", _answers("csat")),
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
        Kind.ASKED: Shape("Survey Sent", tuple({"survey": survey} for survey in SURVEYS)),
        Kind.CES: Shape("Survey Answered", _answers("ces")),
    }

"""How many customers a rule holds for and what a change would move, told with how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from clm.lib.templatetags.numbers import number
from customers.models import Installation
from customers.named_properties import Filling
from lifecycle.models import Preview
from lifecycle.previews import RULE, Counted, counted, estimated_rule
from lifecycle.rules.describe import sentence
from lifecycle.what_if import rule_node

from .intervals import wilson


@dataclass(frozen=True, slots=True)
class Share:
    """How many of all customers something is true of. low and high: a 95 % interval (Wilson) from a sample; the number
    itself where everybody was looked at."""

    customers: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class RuleEstimate:
    """For how many customers a rule holds at the instant `at`: found for `holding` of the `sampled` customers drawn
    from `everybody`. filling: properties of which not all values are kept yet."""

    sentence: str
    at: datetime
    share: Share
    holding: int
    sampled: int
    everybody: int
    is_exact: bool
    filling: tuple[Filling, ...] = ()

    @property
    def note(self) -> str:
        """What the number rests on while not all values are kept that the rule looks at, "" once they are."""
        return rests_on(self.filling)


def share(*, found: int, of: Counted) -> Share:
    """`found` customers of those looked at, as a number of all."""
    if of.is_exact or of.sampled == 0:
        return Share(found, found, found)
    interval = wilson(found, of.sampled)
    assert interval is not None
    low, high = (round(end * of.customers) for end in interval)
    # Nobody knows of fewer than were seen.
    return Share(round(found * of.customers / of.sampled), max(found, low), max(found, high))


def rule_estimate(*, rule: Any, now: datetime, path: str = "$", of: tuple[str, str] | None = None) -> RuleEstimate:
    """A rule said in English, and for how many it holds. RuleError names what is wrong with it, from `path` on."""
    installation = Installation.current()
    node = rule_node(rule=rule, path=path, of=of)
    found = estimated_rule(rule=rule, now=now, path=path, of=of)
    return _told(sentence(node, currency=installation.currency, minor_digits=installation.minor_digits), found)


def rule_count(*, preview: Preview) -> RuleEstimate | None:
    """What an exact count of a rule found; None while it is not finished."""
    found = counted(preview=preview)
    if found is None:
        return None
    installation = Installation.current()
    node = rule_node(rule=preview.rule)
    return _told(sentence(node, currency=installation.currency, minor_digits=installation.minor_digits), found)


def _told(said: str, found: Counted) -> RuleEstimate:
    holding = sum(customers for (_before, after), customers in found.tallies[RULE].cells.items() if after)
    return RuleEstimate(
        sentence=said,
        at=found.at,
        share=share(found=holding, of=found),
        holding=holding,
        sampled=found.sampled,
        everybody=found.customers,
        is_exact=found.is_exact,
        filling=found.filling,
    )


# --- properties that are being filled in ----------------------------------------------------------------------------
def rests_on(filling: Sequence[Filling]) -> str:
    """What an estimate rests on meanwhile, in a sentence."""
    if not filling:
        return ""
    if any(one.has_begun for one in filling):
        said = _(
            "The values of %(names)s are being filled in, %(done)s of %(parts)s parts so far. Until then these numbers "
            "rest on the touchpoints themselves, of the customers looked at."
        )
    else:
        said = _(
            "No rule has named %(names)s so far, so the values are not kept apart yet. These numbers rest on the "
            "touchpoints themselves, of the customers looked at; before everybody is counted the values are filled in."
        )
    return said % _far(filling)


def filled_in_first_said(filling: Sequence[Filling]) -> str:
    """What somebody who waits for an exact count is told before it can begin, "" once it can."""
    said = _("First the values of %(names)s are filled in: %(done)s of %(parts)s parts.")
    return said % _far(filling) if filling else ""


def _far(filling: Sequence[Filling]) -> dict[str, str]:
    # One after the other; so the parts of all are one way.
    return {
        "names": get_text_list([f"“{one.key}”" for one in filling], _("and")),
        "done": number(sum(one.done for one in filling)),
        "parts": number(sum(one.parts for one in filling)),
    }

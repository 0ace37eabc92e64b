"""Customers won through paid channels: what paid cost of acquisition is divided by, on the page of metrics as on that
of acquisition. All spend on media by all new customers would be a cost of nobody."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext_lazy as _

from clm.lib.periods import days, local_day
from customers.models import Channel

from . import attributed
from .attributed import Attribution, Days, credited
from .attribution.credits import WHOLE
from .costs import credited_to_paid, spent_on_channels
from .scope import Scope

# Where nobody chooses a model: the page of acquisition begins with it, too.
ATTRIBUTION = Attribution()
GROUPS = ("won_by_paid",)


@dataclass(frozen=True, slots=True)
class Won:
    """How many of those who ordered for the first time are credited to channels with spend on media in the period;
    None where it is not known, and why says so."""

    customers: Fraction | None
    why: Any = ""


def won_by_paid(*, scope: Scope) -> Won:
    """By the model and the days that nobody needs to choose."""
    why = _why_unknown(scope)
    if why:
        return Won(None, why)
    window = _days(scope)
    (spent,) = spent_on_channels([window])
    (found,) = credited(scope=scope, windows=[window], attribution=ATTRIBUTION, models=[ATTRIBUTION.model])
    return Won(Fraction(credited_to_paid(found[ATTRIBUTION.model], spent), WHOLE))


def customers_of(*, scope: Scope, group: str) -> list[int]:
    """The ids of these customers, in order."""
    assert group in GROUPS
    start, until = _days(scope)
    (spent,) = spent_on_channels([(start, until)])
    paid = [channel for channel, its in spent.items() if its.paid]
    within = replace(scope, period=days(start=start, until=until, zone=scope.period.zone))
    return sorted({one for key in _keys(paid) for one in _credited_to(key, within)})


def _credited_to(channel: str, scope: Scope) -> list[int]:
    return attributed.customers_of(scope=scope, group=attributed.group_name(ATTRIBUTION, channel))


def _keys(channels: Sequence[int]) -> list[str]:
    return list(Channel.objects.filter(pk__in=channels).order_by("pk").values_list("key", flat=True))


def _days(scope: Scope) -> Days:
    """The days of the period that are known."""
    today = local_day(scope.as_of, scope.period.zone)
    return scope.period.start, min(scope.period.until, today + timedelta(days=1))


def _why_unknown(scope: Scope) -> Any:
    if scope.kept is None or scope.kept.acquisition_known_at is None:
        return _("How customers were won is not counted yet.")
    if not scope.period.is_whole_days or (not scope.is_over and scope.kept.day(scope.as_of) is None):
        return _("Which customers were won through paid channels is told of whole days.")
    return ""

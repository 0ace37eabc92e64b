"""How long something takes, as people read it: the median of Kaplan and Meier's estimate with its interval."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from analytics.survival import Length
from clm.lib.templatetags.numbers import number, quantity_text


def said_length(length: Length, *, unit: Callable[[int], str], ends: Callable[[int], str], nobody: str) -> str:
    """`12 days (8 to 20)`: the median in words of `unit`, the ends of its interval in words of `ends`; `nobody` says
    why there is nothing to measure."""
    if not length.number:
        return _("n/a: %(nobody)s") % {"nobody": nobody}
    if length.median is None:
        return _("n/a: less than half so far")
    low = ends(length.low) if length.low is not None else "?"
    high = ends(length.high) if length.high is not None else _("open")
    return _("%(median)s (%(low)s to %(high)s)") % {"median": unit(length.median), "low": low, "high": high}


def in_days(days: int) -> str:
    return quantity_text(days, "days", None)


def in_hours_or_days(hours: int) -> str:
    """Hours below two days, then days, both with their letter alone: it stands in narrow columns."""
    if hours < 48:
        return _("%s h") % number(hours)
    return _("%s d") % number(round(hours / 24))

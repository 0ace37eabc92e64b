"""What every page needs besides its own answer."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from analytics.left_out import left_out
from analytics.sources import simulation
from clm.lib.access.table import can
from customers.models import Installation

from .dates import DATES, Dates, asked_dates
from .menu import Group, menu

# What somebody chose for one page and wants on the next one too; the links of the sidebar carry it along.
CARRIED = (*DATES, "lines")


def frame(request: HttpRequest) -> dict[str, Any]:
    """`reporting`: the reporting currency, read only by pages that print an amount. dates: what the page is asked
    about. carried: a query (with its question mark, or "") that takes the dates and the lines chosen here along to
    another page. takes_as_of, takes_known_at: whether this page answers for an instant in the past, and by what was
    known then; unknown: parameters of the address that it does not know; kept: those it knows, which a form that
    changes one of them sends along; kept_query: the same as a query, written as carried is; simulation: what of the
    numbers is simulated; left_out: how much money they leave out, asked by pages that show money; menu: where one can
    go from here."""
    taken: frozenset[str] = getattr(request, "parameters_taken", frozenset())
    handed_on = taken | {*CARRIED}
    chosen = {key: request.GET[key] for key in CARRIED if request.GET.get(key)}
    kept = [
        (key, value)
        for key, values in request.GET.lists()
        if key in handed_on and key != "cursor"
        for value in values
        if value
    ]
    return {
        "reporting": SimpleLazyObject(Installation.current),
        "simulation": simulation,
        "left_out": left_out,
        "menu": SimpleLazyObject(lambda: _menu(request)),
        "carried": f"?{urlencode(chosen)}" if chosen else "",
        "dates": _dates(request),
        "takes_as_of": "as_of" in taken,
        "takes_known_at": "known_at" in taken,
        "unknown": getattr(request, "parameters_unknown", []),
        "kept": kept,
        "kept_query": f"?{urlencode(kept)}" if kept else "",
    }


def _menu(request: HttpRequest) -> list[Group]:
    who, match = getattr(request, "user", None), request.resolver_match
    here = (match.url_name if match is not None else None) or ""
    return menu(who=who, here=here, builds_pages=settings.DEBUG or can(who, "system.manage"))


def _dates(request: HttpRequest) -> Dates:
    """What was read already; on a page that reads none (somebody's account) what its address says."""
    read = getattr(request, "dates", None)
    return asked_dates(request.GET, now=timezone.now()) if read is None else read

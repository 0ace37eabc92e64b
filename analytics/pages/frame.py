"""What every page needs besides its own answer."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from analytics.sources import simulation
from clm.lib.access.table import can
from customers.models import Installation

# What somebody chose for one page and wants on the next one too; the links of the sidebar carry it along.
CARRIED = ("as_of", "lines")


def frame(request: HttpRequest) -> dict[str, Any]:
    """`reporting`: the reporting currency, read only by pages that print an amount. carried: a query (with its question
    mark, or "") that takes the day and the lines chosen here along to another page. takes_as_of: whether this page
    answers for a day in the past; unknown: parameters of the address that it does not know; kept: those it knows,
    which a form that changes one of them sends along; simulation: what of the numbers is simulated; builds_pages:
    whether the menu leads to the style guide."""
    taken: frozenset[str] = getattr(request, "parameters_taken", frozenset())
    chosen = {key: request.GET[key] for key in CARRIED if request.GET.get(key)}
    return {
        "reporting": SimpleLazyObject(Installation.current),
        "simulation": simulation,
        "builds_pages": settings.DEBUG or can(getattr(request, "user", None), "system.manage"),
        "carried": f"?{urlencode(chosen)}" if chosen else "",
        "takes_as_of": "as_of" in taken,
        "unknown": getattr(request, "parameters_unknown", []),
        "kept": [
            (key, value)
            for key, values in request.GET.lists()
            if key in taken and key != "cursor"
            for value in values
            if value
        ],
    }

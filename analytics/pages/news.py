"""Tells an open page that something has come in since it was made; it is for the reader to load it again."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.news import mark
from clm.lib.questions import QuestionError

from .asking import page

_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class News:
    """Where a page asks, and the mark of what it shows."""

    url: str
    mark: str


def news_of(*, customer: int | None = None) -> News:
    """For a page that shows one customer, or figures of all."""
    query = "" if customer is None else f"?customer={customer}"
    return News(reverse("news") + query, mark(customer=customer))


@page("customers.view", takes=("customer",))
def news(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """{"mark": "..."}: other than the page's own when there is something new."""
    text = request.GET.get("customer", "")
    if text and not (text.isascii() and text.isdigit() and int(text[:20]) <= _LARGEST_ID):
        raise QuestionError("customer", _("A customer is named by a number."))
    answer = JsonResponse({"mark": mark(customer=int(text) if text else None)})
    answer["Cache-Control"] = "no-store"
    return answer

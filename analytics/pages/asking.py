"""How pages are asked: the clock is read here, permissions are declared, and what cannot be answered is said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.days.kept import Kept, kept
from analytics.scope import LINES, Scope
from clm.lib.access.table import allowed
from clm.lib.periods import (
    DEFAULT_PRESET,
    PRESETS,
    Period,
    asked_period,
    preset,
)
from clm.lib.questions import NotThereError, QuestionError

from .dates import DATES, TIMES, Dates, asked_dates, asked_day, day_end, tidied

View = Callable[..., HttpResponse | StreamingHttpResponse]
# What `question` reads.
SCOPE = ("period", "from", "until", "as_of", "lines")
# `still` takes movement out of a page, for pictures of it; it is read by static/js/theme.js. The dates and the lines
# somebody chose go along from page to page: one that cannot answer for them says so and hands them on.
TAKEN_BY_ALL = frozenset({"still", "lines", *DATES, *TIMES.values()})


def page(permission: str, *, takes: Sequence[str] = ()) -> Callable[[View], View]:
    """A view that declares its permission and the parameters it `takes`, and is handed the edge's clock as `now`; the
    dates asked about are `dates_of(request)`. A question that cannot be answered becomes a page that says what is wrong
    with it; a parameter that the page does not know is told on the page."""

    def mark(view: View) -> View:
        @allowed(permission)
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:
            request.parameters_taken = frozenset(takes)  # type: ignore[attr-defined]
            request.parameters_unknown = sorted(  # type: ignore[attr-defined]
                key[:60] for key in request.GET if key not in takes and key not in TAKEN_BY_ALL
            )
            tidy = tidied(request.GET) if request.method == "GET" else None
            if tidy is not None:
                return redirect(f"{request.path}?{tidy.urlencode()}" if tidy else request.path)
            now = timezone.now()
            try:
                request.dates = asked_dates(request.GET, now=now)  # type: ignore[attr-defined]
                return view(request, *args, now=now, **kwargs)
            except NotThereError as error:
                raise Http404(str(error)) from None
            except QuestionError as error:
                return render(request, "400.html", {"message": error.message}, status=400)

        return asked

    return mark


def dates_of(request: HttpRequest) -> Dates:
    """The dates that a page is asked about."""
    return getattr(request, "dates", None) or Dates()


@dataclass(frozen=True, slots=True)
class Question:
    """What the period picker asks. as_of: the day asked about, None for now; at: its last instant, or now; scope: the
    same for figures; periods: the choices; kept: the figures per day that may answer it."""

    period: Period
    periods: tuple[Period, ...]
    as_of: date | None
    at: datetime
    scope: Scope
    kept: Kept

    @property
    def instant(self) -> datetime | None:
        """What stage counts are asked about: None for now."""
        return None if self.as_of is None else self.at

    @property
    def is_day_end(self) -> bool:
        """Whether `at` is the end of a past day: then people are told the day, not its last millisecond."""
        return self.as_of is not None and self.at == day_end(self.as_of, self.period.zone)

    @property
    def context(self) -> dict[str, Any]:
        """What the period picker and the line below the heading show."""
        return {
            "period": self.period,
            "last_day": self.period.until - timedelta(days=1),
            "periods": self.periods,
            "products_only": self.scope.products_only,
            "as_of": self.as_of,
            "is_day_end": self.is_day_end,
            "data_until": self.at,
            "zone": self.period.zone,
        }


def question(query: QueryDict, *, now: datetime) -> Question:
    """`period` (a preset) or `from` and `until`, seen as of the end of the day `as_of`, with all order `lines` or
    products only."""
    counted = kept()
    zone = counted.zone
    if counted.known_at is not None and not query.get("as_of"):
        # Figures per day are seconds old; the page says up to when they are counted.
        now = min(now, counted.known_at)
    at, day = asked_day(query.get("as_of", ""), now=now, zone=zone)
    periods = tuple(preset(key=key, now=at, zone=zone) for key in PRESETS)
    if query.get("from") or query.get("until"):
        period = asked_period(start=query.get("from"), until=query.get("until"), now=at, zone=zone)
        if period.start_at > at:
            said = _("Nothing is known of a period after the day asked about. Choose an earlier period.")
            raise QuestionError("as_of", said)
    else:
        period = preset(key=query.get("period") or DEFAULT_PRESET, now=at, zone=zone)
    lines = query.get("lines") or LINES[0]
    if lines not in LINES:
        said = _("Figures count all order lines or products only; there is no other choice (%(known)s).")
        raise QuestionError("lines", said % {"known": ", ".join(LINES)})
    scope = Scope(period=period, as_of=at, products_only=lines == "products", kept=counted)
    return Question(period=period, periods=periods, as_of=day, at=at, scope=scope, kept=counted)

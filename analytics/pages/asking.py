"""How pages are asked: the clock is read here, permissions are declared, and what cannot be answered is said."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics.days.kept import Kept, kept
from analytics.scope import COMPARISONS, FIELDS, Scope, day_end, parse_scope
from analytics.sorting import live_segments
from clm.lib.access.table import allowed
from clm.lib.milliseconds import written
from clm.lib.periods import PRESETS, Period, local_day, preset
from clm.lib.questions import NotThereError, QuestionError

from .dates import DATES, TIMES, Dates, asked_dates, tidied

View = Callable[..., HttpResponse | StreamingHttpResponse]
# What `question` reads: of pages that count over a period, and of those about figures.
SCOPE = ("period", "from", "until", "as_of", "lines")
FIGURES = FIELDS
# `still` takes movement out of a page, for pictures of it; it is read by static/js/theme.js. The dates and the lines
# somebody chose go along from page to page: one that cannot answer for them says so and hands them on.
TAKEN_BY_ALL = frozenset({"still", "lines", *DATES, *TIMES.values()})


def page(permission: str, *, takes: Sequence[str] = ()) -> Callable[[View], View]:
    """A view that declares its permission and the parameters it `takes`, and is handed the edge's clock as `now`; the
    dates asked about are `dates_of(request)`. A question that cannot be answered becomes a page that says what is wrong
    with it; a parameter that the page does not know, and a date that is none, are told on the page. A file has no place
    to tell either in, so it is refused."""

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
            dates = asked_dates(request.GET, now=now)
            request.dates = dates  # type: ignore[attr-defined]
            if dates.errors and request.method in ("GET", "HEAD"):
                request.GET = _without(request.GET, dates.errors)  # type: ignore[assignment]
            try:
                if dates.errors and request.method not in ("GET", "HEAD"):
                    raise QuestionError(*next(iter(dates.errors.items())))
                answer = view(request, *args, now=now, **kwargs)
                if answer.get("Content-Disposition", "").startswith("attachment"):
                    refuse_unknown(request)
            except NotThereError as error:
                raise Http404(str(error)) from None
            except QuestionError as error:
                return render(request, "400.html", {"message": error.message}, status=400)
            if dates.errors and answer.status_code == 200:
                # A file has no place where it could say that it is about another day than the one asked for.
                if not answer.get("Content-Type", "").startswith("text/html"):
                    return render(request, "400.html", {"message": " ".join(dates.errors.values())}, status=400)
                answer.status_code = 400
            return answer

        return asked

    return mark


def refuse_unknown(request: HttpRequest) -> None:
    """Refuse (QuestionError) a parameter that a file does not know. Files that are written down when they are sent ask
    this before; of all others it is asked for them."""
    for name in getattr(request, "parameters_unknown", ()):
        known = ", ".join(sorted(request.parameters_taken)) or _("none")  # type: ignore[attr-defined]
        told = {"name": name, "known": known}
        raise QuestionError(name, _("%(name)s: unknown parameter; this file takes %(known)s.") % told)


def _without(query: QueryDict, names: Iterable[str]) -> QueryDict:
    left = query.copy()
    for name in names:
        left.pop(name, None)
    return left


def dates_of(request: HttpRequest) -> Dates:
    """The dates that a page is asked about."""
    return getattr(request, "dates", None) or Dates()


@dataclass(frozen=True, slots=True)
class Question:
    """What the period picker asks. as_of: the day asked about, None for now; at: its last instant, or now; scope: the
    same for figures; periods: the choices; kept: the figures per day that may answer it. errors: by parameter why it
    cannot be used, typed: what was given for it. known_query: the parameter of what was known then, "" for today."""

    period: Period
    periods: tuple[Period, ...]
    as_of: date | None
    at: datetime
    scope: Scope
    kept: Kept
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    known_query: str = ""

    @property
    def status(self) -> int:
        """Of the answer: a page that could not use all it was asked says so, and shows the rest."""
        return 400 if self.errors else 200

    def wrong(self, name: str, given: str, said: str) -> "Question":
        """The same with one more parameter that cannot be used."""
        return replace(self, errors={**self.errors, name: said}, typed={**self.typed, name: given})

    @property
    def instant(self) -> datetime | None:
        """What stage counts are asked about: None for now."""
        return None if self.as_of is None else self.at

    @property
    def stock_at(self) -> datetime | None:
        """The instant at which a page about this period counts stocks: its end, if that is before what is asked about;
        None for now. So a page never sets stocks of one instant beside flows that end at another."""
        return self.scope.end_at if self.period.until_at <= self.at else self.instant

    @property
    def stock_query(self) -> str:
        """`stock_at` as the parameter of a list of customers, "" for now."""
        at = self.stock_at
        if at is None:
            return ""
        day = local_day(at, self.period.zone)
        asked = f"as_of={day if at == day_end(day, self.period.zone) else written(at)}"
        return f"{asked}&{self.known_query}" if self.known_query else asked

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
            "errors": self.errors,
            "typed": self.typed,
            # The dates have fields of their own; what was typed stays in them if it is a date.
            "faults": [
                (name, self.typed.get(name, ""), said)
                for name, said in self.errors.items()
                if name not in ("from", "until")
            ],
            "typed_from": _day_typed(self.typed.get("from", "")),
            "typed_until": _day_typed(self.typed.get("until", "")),
            "scope": self.scope,
            "stock_query": self.stock_query,
        }

    @property
    def choices(self) -> dict[str, Any]:
        """What pages about figures offer besides: segments and comparisons."""
        return {
            "segments": [one.ref for one in live_segments()],
            "comparisons": list(COMPARISONS.items()),
            "compared": COMPARISONS[self.scope.comparison],
        }


def _day_typed(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def question(
    query: QueryDict,
    *,
    now: datetime,
    takes: Sequence[str] = SCOPE,
    errors_are_shown: bool = False,
    counts_history: bool = False,
) -> Question:
    """`period` (a preset) or `from` and `until`, seen as of the end of the day `as_of`, and what else the page `takes`.
    A page on which `errors_are_shown` is answered with the default in the place of what cannot be used; other pages are
    refused (QuestionError). counts_history: as in `parse_scope`."""
    counted = kept()
    given = {name: query.get(name, "") for name in FIELDS if name in takes}
    if "known_at" in takes and not given.get("as_of"):
        given["as_of"] = query.get("known_at", "")  # nothing is known of what came later
    parsed = parse_scope(given, now=now, counted=counted, may_be_remembered=True, counts_history=counts_history)
    if not errors_are_shown:
        parsed.refuse()
    scope = parsed.scope
    return Question(
        period=scope.period,
        periods=tuple(preset(key=key, now=scope.as_of, zone=counted.zone) for key in PRESETS),
        as_of=parsed.as_of_day,
        at=scope.as_of,
        scope=scope,
        kept=counted,
        errors=parsed.errors,
        typed=given,
        known_query=urlencode({"known_at": query["known_at"]}) if "known_at" in takes and query.get("known_at") else "",
    )

"""The segments: all of them in a list, and each with what it means, who is in it, and what hangs on it."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from analytics.days.kept import Kept, kept
from analytics.scores import scores_told_since
from analytics.segment_list import KINDS, ORDERS, segment_page
from analytics.segment_members import member_lines, segment_members
from analytics.sorting import Sorting, segment, stage_model
from analytics.stage_rules import StageRules, rules_of
from analytics.stages import day_ends, stage_trend
from analytics.used_in import used_in
from clm.lib.formulas import harmless
from clm.lib.milliseconds import written as written_instant
from clm.lib.periods import local_day
from clm.lib.templatetags.numbers import number
from clm.lib.templatetags.times import plain_date
from customers.models import Installation
from customers.score_steps import KEYS
from lifecycle.list_members import members_on
from lifecycle.place import placed_by_hand

from .asking import dates_of, page
from .charts import lines_payload
from .customers import said
from .dates import DATES, Dates
from .definitions import of_segment
from .drafts import change_address
from .overview import Line, Series
from .stage_models import named_rows

WEEKS = 53


@page("segments.view", takes=("search", "kind", "order", "cursor"))
def segments(request: HttpRequest, *, now: datetime) -> HttpResponse:
    query = request.GET
    search, kind = query.get("search", "")[:200], query.get("kind", "")
    found = segment_page(
        kept=kept(), search=search, kind=kind, order=query.get("order") or "name", cursor=query.get("cursor") or None
    )
    return render(
        request,
        "pages/segments.html",
        {
            "now": now,
            "found": found,
            "rows": [(row, change_address(row.change)) for row in found.rows],
            "search": search,
            "kind": kind,
            "kinds": list(zip(KINDS, (_("With a rule"), _("Static lists"), _("With a draft")), strict=True)),
            "order": query.get("order") or "name",
            "orders": list(zip(ORDERS, (_("Name"), _("Size"), _("Last change")), strict=True)),
            "end": found.start + len(found.rows) - 1,
            "next_cursor": found.next_cursor,
            "previous_cursor": found.previous_cursor,
        },
    )


@page("segments.view", takes=(*DATES, "search", "cursor"))
def one_segment(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    place, counted = of_segment(key), kept()
    chosen = place.sorting
    (rules,) = rules_of(sortings=[chosen])
    inside = next((rule for rule in rules.stages if rule.stage.key == "in"), None)
    search = request.GET.get("search", "")[:200]
    dates = dates_of(request)
    members = segment_members(
        segment=chosen,
        now=now,
        kept=counted,
        search=search,
        as_of=dates.at,
        known_at=dates.known_at,
        cursor=request.GET.get("cursor") or None,
    )
    size = members.size
    sizes = _sizes(chosen, counted, now=now) if chosen.version is not None else None
    return render(
        request,
        "pages/segment.html",
        {
            **place.context(),
            "now": now,
            "moment": dates.at or now,
            "version": rules.version,
            "sentence": inside.sentence if inside else "",
            "names": [one.name for one in rules.named],
            "named": named_rows(rules.named),
            "sizes": sizes,
            "sizes_chart": lines_payload(series=sizes) if sizes else None,
            "rows": members.rows,
            "columns": ("stage", "since", "last_seen", "orders", "revenue"),
            "nobody_said": "" if members.rows else _nobody_said(rules, dates),
            "matching": size,
            "matching_said": said(size, about=False) if size else "",
            "start": members.start,
            "end": members.start + len(members.rows) - 1,
            "next_cursor": members.next_cursor,
            "previous_cursor": members.previous_cursor,
            "search": search,
            "by_hand": placed_by_hand(
                model=stage_model().id,
                at=dates.at or now,
                customers=[row.id for row in members.rows],
                known_at=dates.known_at,
            ),
            "included": members_on(segment=chosen.id),
            "excluded": members_on(segment=chosen.id, excluded=True),
            "uses": used_in(subject=chosen.id),
        },
    )


@page("segments.view", takes=DATES)
def segment_csv(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """Everybody who is in a segment, as a file."""
    chosen, dates = segment(key), dates_of(request)
    lines = member_lines(segment=chosen, as_of=dates.at, known_at=dates.known_at)
    answer = StreamingHttpResponse(_file(lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{chosen.key}-{now:%Y-%m-%d}.csv"'
    return answer  # type: ignore[return-value]


def _nobody_said(rules: StageRules, dates: Dates) -> str:
    """Why a segment by a rule holds nobody: of a past day in the past tense, and that scores were not told by then."""
    now = _("The rule holds for no customer now. As soon as it does for somebody, the customer appears here by itself.")
    said = [_("The rule held for no customer at that time.") if dates.is_past else now]
    if _names_scores(rules):
        first = scores_told_since()
        if first is None:
            said.append(_("It asks about scores, and none is told to rules yet."))
        elif dates.at is not None and dates.at < first:
            day = plain_date(local_day(first, Installation.current().time_zone))
            said.append(_("It asks about scores, and these are told to rules only since %(day)s.") % {"day": day})
    return " ".join(said)


def _names_scores(rules: StageRules) -> bool:
    """Whether a rule asks about a score, itself or by a sub-rule that it names."""
    text = json.dumps([*(one.document for one in rules.stages), *(one.document for one in rules.named)])
    return any(f'"{key}"' in text for key in KEYS)


def _sizes(chosen: Sorting, counted: Kept, *, now: datetime) -> Series:
    """How many were in it at the last 53 week ends."""
    instants = day_ends(until=now, zone=counted.zone, count=WEEKS)
    labels = tuple(local_day(instant, counted.zone) for instant in instants)
    inside = chosen.stages[chosen.stage_id("in")]
    trend = stage_trend(model=chosen, instants=instants, kept=counted)
    values = next(row.customers for row in trend if row.stage == inside)
    told = {
        "day": plain_date(labels[-1]),
        "low": number(min(values)),
        "high": number(max(values)),
        "last": number(values[-1]),
    }
    sentence = _("Customers in it, week by week until %(day)s: between %(low)s and %(high)s, at last %(last)s.") % told
    return Series(_("Size over time"), sentence, labels, (Line(chosen.name, tuple(values)),))


def _file(lines: Iterator[tuple[int, str, str, str, datetime]]) -> Iterator[str]:
    yield "\ufeff" + _line(["id", "name", "email", "phone", "since"])
    for customer, name, email, phone, since in lines:
        yield _line([str(customer), _cell(name), _cell(email), _cell(phone), written_instant(since)])


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _cell(text: str) -> str:
    """A telephone number is no formula."""
    is_number = text.startswith("+") and text[1:].replace(" ", "").replace("-", "").isdigit()
    return text if is_number else harmless(text)

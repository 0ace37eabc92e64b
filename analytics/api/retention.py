"""/api/v1/retention/: cohorts, revenue that is spent again, how long customers stay active, every number with its
customers."""

from dataclasses import replace
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.periods import PRESETS, days, preset
from clm.lib.questions import NotThereError, QuestionError
from customers.ingest import clock
from customers.models import Installation

from ..beginning import beginning
from ..behind import cohort_group, stays_group
from ..cohorts import BEGINNINGS, MODES, UNITS, Asked, Cohort, Table, cohort_table
from ..days.kept import kept
from ..lapsing import MARKS, Curve, Stays, stays, suggested_window
from ..revenue_kept import GROUPS, RevenueKept, revenue_kept
from ..scope import LINES, Scope, parse_scope
from ..sorting import Sorting, segment
from ..survival import INTERVAL
from ..units import shown_number
from .answering import Instant, problems
from .asking import AsOf
from .metrics import list_address
from .movement import CountedShape
from .stages import PeriodShape


class CohortCellShape(serializers.Serializer[Any]):
    """Customers of a cohort with an order in its k-th unit (mode `after`: in that one or later)."""

    k = serializers.IntegerField()
    customers = CountedShape()
    revenue = serializers.FloatField(help_text="In that unit, net of refunds at their own date.")
    is_complete = serializers.BooleanField(help_text="False: not over yet, and part of no pooled rate.")


class CohortShape(serializers.Serializer[Any]):
    start = serializers.DateField()
    until = serializers.DateField()
    size = CountedShape()
    is_over = serializers.BooleanField(help_text="Nobody can join it any more.")
    cells = CohortCellShape(many=True)


class PooledShape(serializers.Serializer[Any]):
    """Of all cohorts whose k-th unit is over: the sum of those who came back over the sum of those who could."""

    k = serializers.IntegerField()
    size = serializers.IntegerField()
    customers = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True)
    revenue = serializers.FloatField()


class CohortsShape(serializers.Serializer[Any]):
    by = serializers.CharField()
    unit = serializers.CharField()
    mode = serializers.CharField()
    cohorts = CohortShape(many=True)
    pooled = PooledShape(many=True)


class MoneyKeptShape(serializers.Serializer[Any]):
    """What those who spent something in the period before spend in this one; before = held + shrunk + lost."""

    period = PeriodShape()
    gross = serializers.FloatField(
        allow_null=True, help_text="Percent, 0 to 100; null when nobody had spent anything, or records begin later."
    )
    net = serializers.FloatField(allow_null=True, help_text="Percent; above 100 where they spend more; null as above.")
    before = serializers.FloatField()
    now = serializers.FloatField()
    held = serializers.FloatField()
    lost = serializers.FloatField()
    shrunk = serializers.FloatField()
    grown = serializers.FloatField()
    spenders = CountedShape()
    spent_nothing = CountedShape()
    spent_less = CountedShape()
    spent_as_much = CountedShape()
    spent_more = CountedShape()


class StillActiveShape(serializers.Serializer[Any]):
    """How many are still active after so many days; null: nobody was seen for so long."""

    days = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class CurveShape(serializers.Serializer[Any]):
    side = serializers.CharField(help_text="all; compared with a segment, in and out (of it).")
    began = CountedShape()
    ended = CountedShape()
    median_days = serializers.IntegerField(allow_null=True, help_text="Null: less than half so far.")
    low = serializers.IntegerField(allow_null=True)
    high = serializers.IntegerField(allow_null=True)
    still_active = StillActiveShape(many=True)


class LogRankShape(serializers.Serializer[Any]):
    statistic = serializers.FloatField()
    p = serializers.FloatField()


class StaysShape(serializers.Serializer[Any]):
    versus = serializers.CharField(allow_null=True)
    curves = CurveShape(many=True)
    log_rank = LogRankShape(allow_null=True)
    method = serializers.CharField()


class WindowShape(serializers.Serializer[Any]):
    """After how many days without an order a customer may be called lost."""

    days = serializers.IntegerField(allow_null=True, help_text="Null: too few gaps to say.")
    until = serializers.IntegerField(allow_null=True, help_text="The longest gap that enough were waiting for.")
    again = serializers.FloatField(allow_null=True, help_text="Percent of orders followed by another until then.")
    gaps = serializers.IntegerField()
    open = serializers.IntegerField()


class RetentionShape(serializers.Serializer[Any]):
    as_of = Instant()
    segment = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    cohorts = CohortsShape()
    revenue = MoneyKeptShape(many=True)
    stays = StaysShape()
    window = WindowShape()


class RetentionAsked(AsOf):
    segment = serializers.CharField(
        required=False, max_length=60, help_text="Only customers who are in this segment at as_of."
    )
    lines = serializers.ChoiceField(choices=list(LINES), required=False, help_text="Which order lines count.")
    by = serializers.CharField(
        required=False,
        max_length=80,
        help_text=f"What begins a cohort: {', '.join(BEGINNINGS)}, or segment:KEY (the first entry into it).",
    )
    unit = serializers.ChoiceField(choices=list(UNITS), required=False)
    mode = serializers.ChoiceField(choices=list(MODES), required=False)
    versus = serializers.CharField(
        required=False, max_length=60, help_text="Compare how long the members of this segment stay with the others."
    )


class Retentions(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="retention_read",
        summary="Who comes back, with how much money, and how long customers stay",
        parameters=[RetentionAsked],
        responses={200: RetentionShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        given = RetentionAsked.of(request)
        asked = Asked(given.pop("by", "purchase"), given.pop("unit", "month"), given.pop("mode", "on"))
        versus = _versus(given.pop("versus", ""))
        _ = asked.segment  # a segment that there is not is told before anything is counted
        parsed = parse_scope(given, now=clock(), counted=kept())
        parsed.refuse()
        scope, installation = parsed.scope, Installation.current()
        digits, since = installation.minor_digits, beginning(scope=scope)
        answer = {
            "as_of": scope.as_of,
            "segment": scope.segment.key if scope.segment else None,
            "currency": installation.currency,
            "cohorts": _cohorts(cohort_table(scope=scope, asked=asked), digits),
            "revenue": [
                _money_kept(revenue_kept(scope=_of_period(scope, key), since=since), digits) for key in PRESETS
            ],
            "stays": _stays(stays(scope=scope, versus=versus)),
            "window": _window(scope),
        }
        return Response(RetentionShape(answer).data)


def _versus(key: str) -> Sorting | None:
    try:
        return segment(key) if key else None
    except NotThereError as error:
        raise QuestionError("versus", str(error)) from None


def _of_period(scope: Scope, key: str) -> Scope:
    return replace(scope, period=preset(key=key, now=scope.as_of, zone=scope.period.zone))


def _counted(number: int, group: str, scope: Scope) -> dict[str, Any]:
    return {"number": number, "customers": list_address(f"group={group}&{scope.query()}") if number else None}


def _cohorts(table: Table, digits: int) -> dict[str, Any]:
    asked = table.asked
    return {
        "by": asked.by,
        "unit": asked.unit,
        "mode": asked.mode,
        "cohorts": [_cohort(table, one, digits) for one in table.cohorts],
        "pooled": [
            {
                "k": one.k,
                "size": one.size,
                "customers": one.customers,
                "percent": None if one.share is None else round(float(one.share) * 100, 9),
                "revenue": shown_number(one.revenue, "money", digits),
            }
            for one in table.pooled
        ],
    }


def _cohort(table: Table, one: Cohort, digits: int) -> dict[str, Any]:
    of = replace(table.scope, period=days(start=one.start, until=one.until, zone=table.scope.period.zone))
    return {
        "start": one.start,
        "until": one.until,
        "size": _counted(one.size, cohort_group(table.asked, one.start, None), of),
        "is_over": one.is_over,
        "cells": [
            {
                "k": k,
                "customers": _counted(cell.customers, cohort_group(table.asked, one.start, k), of),
                "revenue": shown_number(cell.revenue, "money", digits),
                "is_complete": cell.is_complete,
            }
            for k, cell in enumerate(one.cells)
        ],
    }


def _money_kept(one: RevenueKept, digits: int) -> dict[str, Any]:
    rates = {name: getattr(one, name) for name in ("gross", "net")}
    money = ("before", "now", "held", "lost", "shrunk", "grown")
    return {
        "period": one.scope.period,
        **{name: None if rate is None else round(float(rate) * 100, 9) for name, rate in rates.items()},
        **{name: shown_number(getattr(one, name), "money", digits) for name in money},
        **{name: _counted(getattr(one, name), name, one.scope) for name in GROUPS},
    }


def _stays(found: Stays) -> dict[str, Any]:
    test = found.log_rank
    return {
        "versus": found.versus.key if found.versus else None,
        "curves": [_curve(found, one) for one in found.curves],
        "log_rank": None if test is None else {"statistic": test.statistic, "p": test.p},
        "method": INTERVAL,
    }


def _curve(found: Stays, one: Curve) -> dict[str, Any]:
    shares = []
    for mark in MARKS:
        step = one.share(mark) if one.number else None
        told = (None, None, None) if step is None else (step.share, step.low, step.high)
        numbers = (None if number is None else round(number * 100, 9) for number in told)
        shares.append({"days": mark, **dict(zip(("percent", "low", "high"), numbers, strict=True))})
    counted = {
        which: _counted(number, stays_group(found.versus, one.side, which), found.scope)
        for which, number in (("began", one.number), ("ended", one.ended))
    }
    known = one.median.median is not None
    return {
        "side": one.side,
        **counted,
        "median_days": one.median.median,
        "low": one.median.low if known else None,
        "high": one.median.high if known else None,
        "still_active": shares,
    }


def _window(scope: Scope) -> dict[str, Any]:
    found = suggested_window(scope=scope)
    again = None if found.again is None else round(found.again * 100, 9)
    return {"days": found.days, "until": found.until, "again": again, "gaps": found.gaps, "open": found.open}

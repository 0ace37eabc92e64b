"""What customers of each month of the first order brought, against what winning them cost: rows, heat map, curve and
the sentence about it."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.acquisition import Acquisition, CohortRow
from analytics.behind import cohort_group
from analytics.cohorts import Asked as CohortAsked
from clm.lib.periods import days
from clm.lib.templatetags.numbers import percent, quantity_text
from clm.lib.templatetags.times import plain_date, plain_month


def no_months(found: Acquisition) -> str:
    """Why there is no month of the first order to pool."""
    begin = found.pooled.begin
    if begin is None or found.pooled.first is not None:
        return ""
    return _("Records begin on %(first)s, and no month has begun since.") % {"first": plain_date(begin)}


def money_said(found: Acquisition, amount: Fraction | int) -> str:
    return quantity_text(amount, "money", found.installation)


def basis_said(found: Acquisition) -> str:
    if found.basis == "revenue":
        return _("in revenue, since no margin is set")
    return _("in margin")


def cohort_url(found: Acquisition, row: CohortRow) -> str:
    return f"{reverse('customers')}?group={cohort_group(CohortAsked(), row.start, None)}&{cohort_query(found, row)}"


def cohort_query(found: Acquisition, row: CohortRow) -> str:
    """The days of a cohort as parameters of a list, and the segment where one is asked about."""
    period = days(start=row.start, until=row.until, zone=found.scope.period.zone)
    if found.scope.segment is not None:
        return replace(found.scope, period=period).query()
    start, until = period.asked()
    return f"from={start}&until={until}"


def cohort_row(found: Acquisition, row: CohortRow) -> dict[str, Any]:
    payback = _("not yet")
    if row.payback is not None:
        payback = _("in month %(number)d") % {"number": row.payback}
    elif row.blended.number is None:
        payback = _("n/a")
    begin = found.pooled.begin
    return {
        "row": row,
        "url": cohort_url(found, row) if row.customers else "",
        "payback": payback,
        "is_early": begin is not None and row.start <= begin < row.until,
    }


def heatmap_of(found: Acquisition) -> dict[str, Any]:
    """What one customer had brought by the end of each month, as a share of what it cost."""
    columns = max((len(one.curve) for one in found.cohorts), default=0)
    rows = []
    for one in reversed(found.cohorts):
        cost = one.blended.number
        cells = []
        for reached, is_over in one.curve:
            share = None if cost is None else float(reached / cost)
            cells.append(
                {
                    "text": _("n/a") if share is None else percent(share),
                    "level": None if share is None else max(0, min(7, int(7 * share))),
                    "incomplete": not is_over,
                    "url": "",
                }
            )
        rows.append(
            {
                "name": plain_month(one.start),
                "size": one.customers,
                "url": cohort_url(found, one) if one.customers else "",
                "cells": cells,
            }
        )
    return {"corner": _("First order in"), "columns": [str(later) for later in range(columns)], "rows": rows}


def curve_chart(found: Acquisition) -> dict[str, Any] | None:
    """What a customer brought month by month against what it cost, all cohorts together."""
    pooled, digits = found.pooled, found.installation.minor_digits
    if len(pooled.curve) < 2:
        return None

    def major(amount: Fraction) -> float:
        return round(float(amount) / 10**digits, 2)

    lines = [{"name": str(_("Brought by one customer")), "values": [major(one) for one in pooled.curve]}]
    if pooled.blended.number is not None:
        cost = major(pooled.blended.number)
        lines.append({"name": str(_("Cost of winning one")), "values": [cost] * len(pooled.curve)})
    return {
        "description": payback_said(found),
        "steps": True,
        "labels": [str(later) for later in range(len(pooled.curve))],
        "lines": lines,
    }


def curve_rows(found: Acquisition) -> list[dict[str, Any]]:
    return [{"month": later, "reached": reached} for later, reached in enumerate(found.pooled.curve)]


def payback_said(found: Acquisition) -> str:
    pooled = found.pooled
    if pooled.first is None and pooled.begin is not None:
        return no_months(found)
    if pooled.blended.number is None:
        return pooled.blended.note
    if not pooled.curve:
        return _("No month is over yet since anybody ordered for the first time.")
    told = {
        "cost": money_said(found, pooled.blended.number),
        "reached": money_said(found, pooled.curve[-1]),
        "last": len(pooled.curve) - 1,
        "basis": basis_said(found),
    }
    if pooled.payback is None:
        return (
            _(
                "Not paid back yet: winning a customer cost %(cost)s, and by the end of month %(last)d after the first "
                "order one had brought %(reached)s, %(basis)s."
            )
            % told
        )
    return _(
        "Paid back in month %(month)d after the first order: winning a customer cost %(cost)s, and by the end of "
        "month %(last)d one had brought %(reached)s, %(basis)s."
    ) % {**told, "month": pooled.payback}

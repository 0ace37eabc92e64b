"""What it cost to win customers: by channel, by attribution model, by month of the first order, and when it was paid
back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.acquisition import Acquisition, ChannelRow, acquisition
from analytics.acquisition_asked import LAGS, Asked, parsed_asked
from analytics.attributed import Credit, group_name
from analytics.attribution.declared import GOALS, LEAST_CONVERSIONS, LONGEST_WINDOW, MODELS, OFFERED_WINDOWS
from analytics.costs import Ratio, Spent, months_before
from analytics.customer_list import anybody
from analytics.days.identities import broken_of
from analytics.files import Cell, scope_cells
from analytics.tiles import Tile
from analytics.units import shown_number
from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import quantity_text
from clm.lib.templatetags.times import plain_date

from .asking import Question, page, question
from .exports import answered_file
from .news import news_of
from .payback import basis_said, cohort_row, curve_chart, curve_rows, heatmap_of, money_said, no_months, payback_said

SCOPED = ("period", "from", "until", "segment")
CHOSEN = ("attribution", "window", "lag", "goal")
TAKES = (*SCOPED, *CHOSEN)
NOT_COUNTED = "not counted yet"
LAG_NAMES = {0: gettext_lazy("Spend of the same days"), 1: gettext_lazy("Spend of a month earlier")}
# What counts as a marketing touch, said where paths are.
TOUCHES = gettext_lazy(
    "A touch is an ad that was shown or clicked, or a visit; a mail or a push message is one when it is clicked. "
    "Visits count for the channel of their campaign, else for what their link says (utm_medium, utm_source), else as "
    "direct. "
    "What follows within half an hour belongs to the same visit."
)


@page("metrics.view", takes=TAKES)
def acquisitions(request: HttpRequest, *, now: datetime) -> HttpResponse:
    asked = question(request.GET, now=now, takes=SCOPED, errors_are_shown=True)
    wanted, asked = _wanted(request.GET, asked)
    context = {
        **asked.context,
        "no_lines": True,
        "now": now,
        "file_address": "acquisition_file",
        "news": news_of(),
        "segments": asked.choices["segments"],
        "goals": [(key, name, key == wanted.attribution.goal) for key, name in GOALS.items()],
        "switches": _switches(wanted),
        "models": [(model.key, model.name, model.key == wanted.attribution.model) for model in MODELS.values()],
        "model": MODELS[wanted.attribution.model],
        "window": wanted.attribution.window,
        "longest_window": LONGEST_WINDOW,
        "is_own_window": wanted.attribution.window not in OFFERED_WINDOWS,
    }
    is_counted = asked.kept.acquisition_known_at is not None
    if not anybody() or not is_counted:
        return render(
            request,
            "pages/acquisition.html",
            {**context, "empty": True, "being_counted": anybody()},
            status=asked.status,
        )
    found = acquisition(scope=asked.scope, asked=wanted)
    return render(request, "pages/acquisition.html", {**context, **shown_of(found)}, status=asked.status)


@page("metrics.view", takes=TAKES)
def acquisition_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of acquisition shows, as a file."""
    asked = question(request.GET, now=now, takes=SCOPED)
    cells = acquisition_cells(request.GET, asked)
    if not anybody():
        raise Http404
    return answered_file(kind=kind, name="acquisition", cells=cells)


def acquisition_cells(query: QueryDict, asked: Question) -> list[Cell]:
    """What files of the page hold of a question."""
    wanted = parsed_asked({name: query.get(name, "") for name in CHOSEN})
    if asked.kept.acquisition_known_at is None:
        return [*scope_cells(scope=asked.scope), Cell("acquisition", "all", "new customers", None, "", NOT_COUNTED)]
    return list(cells_of(acquisition(scope=asked.scope, asked=wanted)))


def _wanted(query: QueryDict, asked: Question) -> tuple[Asked, Question]:
    """What is wanted; a parameter that cannot be used is told, and the standard stands in its place."""
    given = {name: query.get(name, "") for name in CHOSEN}
    while True:
        try:
            return parsed_asked(given), asked
        except QuestionError as error:
            asked = asked.wrong(error.field, given[error.field], error.message)
            given[error.field] = ""


def _switches(wanted: Asked) -> list[tuple[str, Any, list[tuple[Any, Any, bool]]]]:
    """What stands above the figures: parameter, label, and its choices with whether each is on."""
    chosen = wanted.attribution.window
    offered = sorted({*OFFERED_WINDOWS, chosen})
    said = {days: ngettext("%(count)d day", "%(count)d days", days) % {"count": days} for days in offered}
    return [
        ("window", _("Touches within"), [(one, said[one], one == chosen) for one in offered]),
        ("lag", _("Spend"), [(one, LAG_NAMES[one], one == wanted.lag) for one in LAGS]),
    ]


def shown_of(found: Acquisition) -> dict[str, Any]:
    """All that the page shows of an answer."""
    return {
        "found": found,
        "tiles": _tiles(found),
        "hints": paid_hints(found),
        "rows": [_channel(found, one) for one in found.channels],
        "spend_url": _spend_url(found),
        "unallocated": _credit(found, found.unallocated, ""),
        "all_customers": f"{reverse('customers')}?group=first_paying&{found.scope.query()}",
        "orders": _orders(found) if found.orders else None,
        "comparison": comparison(found),
        "cohorts": [cohort_row(found, one) for one in reversed(found.cohorts)],
        "heatmap": heatmap_of(found),
        "caption": _("What one customer had brought, as a share of what it cost to win"),
        "curve_chart": curve_chart(found),
        "curve_rows": curve_rows(found),
        "curve_said": payback_said(found),
        "early": _early(found),
        "sparse": [one.key for one in (found.orders or found).channels if one.is_sparse],
        "least": LEAST_CONVERSIONS,
        "touches": TOUCHES,
        "made_up": bool(found.spent.made_up or found.pooled.spent.made_up),
        "simulated": ", ".join(one.name for one in found.sources if one.is_simulated),
        "broken_figures": broken_of(versions=[0]).get(0, ()),
    }


# --- tiles -----------------------------------------------------------------------------------------------------------
def _tiles(found: Acquisition) -> list[Tile]:
    of_customers = f"group=first_paying&{found.scope.query()}"
    pooled, basis = found.pooled, basis_said(found)
    interval = _("Months of the first order together, %(basis)s.") % {"basis": basis}
    if pooled.first is not None:
        # Said on the tile itself: it is the one among them that does not follow the period.
        told_of = {"first": _month(pooled.first), "last": _month(found.cohorts[-1].start), "basis": basis}
        interval = _("Months of the first order from %(first)s to %(last)s, whatever the period; %(basis)s.") % told_of
    if pooled.ltv_to_cac.low is not None and pooled.ltv_to_cac.high is not None:
        interval += " " + _("95%% interval %(low)s to %(high)s.") % {
            "low": quantity_text(pooled.ltv_to_cac.low, "ratio", None),
            "high": quantity_text(pooled.ltv_to_cac.high, "ratio", None),
        }
    told = [
        ("won", _("New customers"), found.customers, "count", _("Customers whose first order ever lies in the period."),
         "", of_customers),
        ("spent", _("Spend"), None if found.without_spend else found.spent.blended, "money",
         _("All that is entered for marketing: media, salaries and tools."),
         found.without_spend or _("%(paid)s of it on media") % {"paid": money_said(found, found.spent.paid)}, ""),
        ("cac_blended", _("CAC, blended"), found.blended.number, "money",
         _("All spend divided by all customers who ordered for the first time."), found.blended.note, of_customers),
        ("cac_paid", _("CAC, paid"), found.paid.number, "money",
         _("Spend on media divided by the customers credited to channels with such spend, by the model that is chosen: "
           "%(model)s.") % {"model": MODELS[found.asked.attribution.model].name}, found.paid.note or _paid(found), ""),
        ("cac_marginal", _("CAC, marginal"), found.marginal.number, "money",
         _("What more was spent than in the period before, divided by the customers more."), found.marginal.note, ""),
        ("ltv_to_cac", _("LTV so far : CAC"), pooled.ltv_to_cac.number, "ratio",
         _("What customers of the last 13 months have brought so far, one with another, divided by what it cost to win "
           "one (blended). The month in which records begin is left out. Realised, not expected."),
         no_months(found) or pooled.ltv_to_cac.note or interval, ""),
    ]  # fmt: skip
    return [
        Tile(
            key=f"acquisition-{key}",
            label=str(label),
            value=float(value) if isinstance(value, Fraction) else value,
            unit=unit,
            definition=str(definition),
            note=str(note),
            change=None,
            change_unit="percent",
            change_note="",
            good="",
            trend=(),
            customers_query=query,
        )
        for key, label, value, unit, definition, note, query in told
    ]


def _paid(found: Acquisition) -> str:
    """What counts as paid."""
    return _("Counts as paid: %(channels)s.") % {"channels": ", ".join(found.paid_channels)}


def paid_hints(found: Acquisition) -> list[str]:
    """What to know before believing the paid cost: media that is booked where nobody pays for the click, and media that
    won nobody."""
    hints = []
    if free := found.unpaid_with_media:
        customers = quantity_text(float(sum(row.credit.credited for row in free)), "number", None)
        hints.append(
            _(
                "Media spend is booked on %(channels)s, where nobody pays for a click or a view. So the %(customers)s "
                "customers credited there count as paid, and CAC, paid is lower than that of the ads. Book it on the "
                "channel of the ads, or as spend that is not on media."
            )
            % {"channels": ", ".join(row.key for row in free), "customers": customers}
        )
    if idle := found.media_without_customers:
        hints.append(
            _(
                "Media spend on %(channels)s has won nobody by this model within these days: the customers of the "
                "other paid channels bear it, which makes CAC, paid higher."
            )
            % {"channels": ", ".join(row.key for row in idle)}
        )
    return hints


def _month(start: date) -> str:
    return date_format(start, "M Y")


def _early(found: Acquisition) -> str:
    """What the month in which records begin is worth, and where it is left out."""
    begin = found.pooled.begin
    if begin is None:
        return ""
    said = _(
        "Records begin on %(first)s: the first cohort holds customers who may have begun earlier than is recorded. It "
        "is shown, but left out of the payback curve and of LTV so far : CAC."
    )
    return said % {"first": plain_date(begin)}


# --- channels --------------------------------------------------------------------------------------------------------
def _credit(found: Acquisition, credit: Credit, key: str) -> dict[str, Any]:
    group = group_name(replace(found.asked.attribution, goal="first"), key)
    return {
        "credit": credit,
        "credited": float(credit.credited),
        "share": float(credit.credited / found.customers) if found.customers else None,
        "url": f"{reverse('customers')}?group={group}&{found.scope.query()}" if credit.customers else "",
    }


def _channel(found: Acquisition, row: ChannelRow) -> dict[str, Any]:
    return {**_credit(found, row.credit, row.key), "row": row, "spend_url": _spend_url(found, row.key)}


def _spend_url(found: Acquisition, key: str = "") -> str:
    """The entries that a sum of spend is made of: those of its days, a month earlier where that is chosen."""
    period, lag = found.scope.period, found.asked.lag
    days = {"from": months_before(period.start, lag), "until": months_before(period.until, lag)}
    return f"{reverse('spend')}?{urlencode({**({'channel': key} if key else {}), **days})}"


def _orders(found: Acquisition) -> dict[str, Any]:
    """The table of every order."""
    assert found.orders is not None
    orders = found.orders

    def credit(one: Credit, key: str) -> dict[str, Any]:
        group = group_name(found.asked.attribution, key)
        return {
            "credit": one,
            "credited": float(one.credited),
            "share": float(one.credited / orders.number) if orders.number else None,
            "url": f"{reverse('customers')}?group={group}&{found.scope.query()}" if one.customers else "",
        }

    return {
        "found": orders,
        "rows": [
            {**credit(row.credit, row.key), "row": row, "spend_url": _spend_url(found, row.key)}
            for row in orders.channels
        ],
        "unallocated": credit(orders.unallocated, ""),
        "all_customers": f"{reverse('customers')}?group=buyers&{found.scope.query()}",
    }


def comparison(found: Acquisition) -> list[dict[str, Any]]:
    """Each channel by each model: credited customers, or orders, and how many more or fewer than by the chosen one."""
    chosen = found.asked.attribution.model
    rows = []
    for row in (found.orders or found).channels:
        by_model = row.by_model or {}
        if not any(by_model.values()):
            continue
        cells = [
            {
                "is_chosen": key == chosen,
                "customers": float(by_model.get(key, Fraction(0))),
                "difference": round(by_model.get(key, Fraction(0)) - by_model.get(chosen, Fraction(0))),
            }
            for key in MODELS
        ]
        rows.append({"key": row.key, "cells": cells})
    return rows


# --- cohorts ---------------------------------------------------------------------------------------------------------
# --- files -----------------------------------------------------------------------------------------------------------
def cells_of(found: Acquisition) -> Iterator[Cell]:
    """What files of the page hold of an answer."""
    digits, currency = found.installation.minor_digits, found.installation.currency

    def money(section: str, item: str, measure: str, amount: Fraction | int) -> Cell:
        return Cell(section, item, measure, shown_number(float(amount), "money", digits), currency)

    def ratio(section: str, item: str, measure: str, one: Ratio, unit: str = "money") -> Iterator[Cell]:
        for name, number in (("", one.number), (" low", one.low), (" high", one.high)):
            if number is not None or not name:
                shown = None if number is None else shown_number(float(number), unit, digits)
                yield Cell(section, item, measure + name, shown, currency if unit == "money" else unit, one.note)

    def spend(section: str, item: str, one: Spent) -> Iterator[Cell]:
        for name, amount in (("spend", one.blended), ("spend on media", one.paid)):
            if found.without_spend:
                yield Cell(section, item, name, None, currency, found.without_spend)
            else:
                yield money(section, item, name, amount)

    def share(section: str, item: str, of_all: Fraction | None) -> Cell:
        return Cell(
            section, item, "share", None if of_all is None else shown_number(float(of_all), "percent", 0), "percent"
        )

    def credit(section: str, item: str, one: Credit) -> Iterator[Cell]:
        yield Cell(section, item, "customers with credit", one.customers, "customers")
        yield Cell(section, item, "credited customers", float(one.credited), "customers")
        yield share(section, item, one.credited / found.customers if found.customers else None)
        yield money(section, item, "first orders", one.revenue)
        yield money(section, item, "orders so far", one.value)

    attribution = found.asked.attribution
    yield from scope_cells(
        scope=found.scope,
        attribution=attribution.model,
        goal=attribution.goal,
        window=str(attribution.window),
        lag=str(found.asked.lag),
        basis=found.basis,
        currency=currency,
    )
    yield Cell("acquisition", "all", "new customers", found.customers, "customers")
    yield from spend("acquisition", "all", found.spent)
    yield Cell("acquisition", "all", "counts as paid", ", ".join(found.paid_channels))
    for hint in paid_hints(found):
        yield Cell("acquisition", "all", "hint", None, "", hint)
    for name, one in (("cac blended", found.blended), ("cac paid", found.paid), ("cac marginal", found.marginal)):
        yield from ratio("acquisition", "all", name, one)
    yield money("acquisition", "all", "first orders", found.total.revenue)
    pooled = found.pooled
    item = f"{pooled.first} to {found.cohorts[-1].start}" if pooled.first is not None else "all"
    yield Cell("months together", item, "customers", pooled.customers, "customers", no_months(found))
    yield from spend("months together", item, pooled.spent)
    for name, one in (("cac blended", pooled.blended), ("brought so far", pooled.worth)):
        yield from ratio("months together", item, name, one)
    yield from ratio("months together", item, "ltv so far : cac", pooled.ltv_to_cac, "ratio")
    yield from ratio("months together", item, "cac : ltv so far", pooled.cac_to_ltv, "ratio")
    not_yet = "" if pooled.payback is not None else "not yet"
    yield Cell("months together", item, "payback", pooled.payback, "months", not_yet)
    for later, reached in enumerate(pooled.curve):
        yield money("payback of months together", item, str(later), reached)
    for row in found.channels:
        note = "sparse" if row.is_sparse else ""
        yield from credit("channels", row.key, row.credit)
        yield Cell("channels", row.key, "touched", row.touched, "customers", note)
        yield from spend("channels", row.key, row.spent)
        for name, one in (("cac paid", row.paid), ("cac blended", row.blended), ("cac marginal", row.marginal)):
            yield from ratio("channels", row.key, name, one)
        yield from ratio("channels", row.key, "brought so far", row.worth)
        yield from ratio("channels", row.key, "ltv so far : cac", row.ltv_to_cac, "ratio")
        for key, customers in (row.by_model or {}).items():
            yield Cell("models", row.key, key, float(customers), "customers")
    yield from credit("channels", "unallocated", found.unallocated)
    if found.orders is not None:
        yield Cell("every order", "all", "orders", found.orders.number, "orders")
        yield Cell("every order", "all", "customers", found.orders.customers, "customers")
        yield money("every order", "all", "revenue", found.orders.total.revenue)
        yield from ratio("every order", "all", "cost per order blended", found.orders.blended)
        yield from ratio("every order", "all", "revenue per spend", found.orders.returned, "ratio")
        for each in (*found.orders.channels, None):
            item = "unallocated" if each is None else each.key
            its = found.orders.unallocated if each is None else each.credit
            yield Cell("every order", item, "customers with credit", its.customers, "customers")
            yield Cell("every order", item, "credited orders", float(its.credited), "orders")
            yield share("every order", item, its.credited / found.orders.number if found.orders.number else None)
            yield money("every order", item, "revenue", its.revenue)
            if each is None:
                continue
            yield Cell("every order", item, "touched", each.touched, "orders", "sparse" if each.is_sparse else "")
            yield from spend("every order", item, each.spent)
            yield from ratio("every order", item, "cost per order paid", each.paid)
            yield from ratio("every order", item, "cost per order blended", each.blended)
            yield from ratio("every order", item, "revenue per spend", each.returned, "ratio")
            for key, orders in (each.by_model or {}).items():
                yield Cell("models of every order", item, key, float(orders), "orders")
    for cohort in found.cohorts:
        item = cohort.start.isoformat()
        note = "" if cohort.is_over else "not over yet"
        yield Cell("cohorts", item, "customers", cohort.customers, "customers", note)
        yield from spend("cohorts", item, cohort.spent)
        for name, one in (("cac paid", cohort.paid), ("cac blended", cohort.blended), ("brought so far", cohort.worth)):
            yield from ratio("cohorts", item, name, one)
        yield from ratio("cohorts", item, "ltv so far : cac", cohort.ltv_to_cac, "ratio")
        yield from ratio("cohorts", item, "cac : ltv so far", cohort.cac_to_ltv, "ratio")
        yield Cell(
            "cohorts", item, "payback", cohort.payback, "months", "" if cohort.payback is not None else "not yet"
        )
        for later, (reached, is_over) in enumerate(cohort.curve):
            yield Cell(
                "payback", item, str(later), shown_number(float(reached), "money", digits), currency,
                "" if is_over else "not over yet",
            )  # fmt: skip

"""What customers are expected to be worth: how many are customers still, what they will bring, how the models that say
so were fitted and how they did on the past, classes of recency, frequency and monetary value, and who is at risk."""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics import scores
from analytics.customer_list import anybody
from analytics.files import Cell
from analytics.models import Scoring
from analytics.value import arithmetic
from clm.lib.templatetags.numbers import number, percent, quantity_text
from clm.lib.templatetags.times import plain_date
from customers.models import Installation

from .asking import page
from .charts import lines_payload
from .exports import answered_file
from .news import news_of
from .value_cells import value_cells

# So far off on the whole, as a share of customers, a forecast was wrong for a reason and not by chance.
UNUSUAL = 0.05
VERDICTS = {
    "fitted": gettext_lazy("fitted"),
    "not_enough_data": gettext_lazy("not enough data"),
    "no_top": gettext_lazy("no best fit found"),
    "dropout_not_identified": gettext_lazy("dropout not identified"),
}
REFUSALS = {
    "too_short": gettext_lazy(
        "Not told: orders go back less than nine months, too short to make a forecast of three months and prove it."
    ),
    "thin": gettext_lazy(
        "Not told: fewer than fifty customers ordered, or fewer than fifty did not, in the last three months. With so "
        "few nobody can say how good a forecast is."
    ),
    "no_model": gettext_lazy("Not told: the model found no best fit to what was known three months ago."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the tracking plot."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tracking:
    """Repeat orders in all, up to the end of each day: what came and what the models expected."""

    title: str
    sentence: str
    labels: tuple[date, ...]
    lines: tuple[Line, ...]
    daily: bool = False

    @property
    def rows(self) -> list[tuple[date, list[float]]]:
        return [(day, [line.values[at] for line in self.lines]) for at, day in enumerate(self.labels)]


@dataclass(frozen=True, slots=True)
class Step:
    """Customers of one step, and the list of them. low, high: its ends, a share from 0 to 1 or minor units, None where
    it is open."""

    label: str
    customers: int
    url: str
    part: float
    low: float | Fraction | None = None
    high: float | Fraction | None = None


@page("metrics.view")
def value(request: HttpRequest, *, now: datetime) -> HttpResponse:
    scoring = scores.latest_scoring()
    context: dict[str, Any] = {"now": now, "news": news_of(), "under_way": scores.under_way()}
    if scoring is None:
        nothing = {"empty": True, "anybody": anybody(), "is_ordered": scores.is_anything_ordered(now=now)}
        return render(request, "pages/value.html", {**context, **nothing})
    return render(request, "pages/value.html", {**context, **shown(scoring)})


@page("metrics.view")
def value_file(request: HttpRequest, kind: str, *, now: datetime) -> HttpResponse:
    """What the page of value shows, as a file."""
    scoring = scores.latest_scoring()
    cells = [Cell("scope", "as_of", "", None, note="nothing was computed yet")]
    return answered_file(
        kind=kind, name="value", cells=cells if scoring is None else value_cells(scoring, shown(scoring))
    )


def shown(scoring: Scoring) -> dict[str, Any]:
    """All that the page shows of a scoring."""
    document, percent_of_revenue = scoring.document, scores.margin_percent()
    counts = scores.counts(scoring=scoring)
    tracking = _tracking(document)
    return {
        "scoring": scoring,
        "document": document,
        "shown": scores.shown_fit(document),
        "fits": [_fit(one) for one in document["fits"]],
        "left_out": ", ".join(document["left_out"]),
        "totals": scores.totals(scoring=scoring),
        "worth": _worth(scoring, percent_of_revenue),
        "margin": percent_of_revenue,
        "why_not": _why_not(document),
        "tracking": tracking,
        "tracking_chart": lines_payload(series=tracking) if tracking else None,
        "alive": _tenths("alive", counts["alive"]) if document["totals"]["alive"] is not None else [],
        "worth_steps": worth_steps(document, counts["worth"], percent_of_revenue),
        "spending": {**document["spending"], "said": VERDICTS[document["spending"]["verdict"]]},
        "heatmap": _heatmap(counts["rfm"]),
        "classes": _classes(document, counts["rfm"]),
        "risk": _risk(document, counts["risk"]),
        "contracts": document["contracts"],
        "contract_fits": [_contract_fit(one, percent_of_revenue) for one in document["contracts"]["fits"]],
        "contract_money": _contract_money(document["contracts"], percent_of_revenue),
        "file_address": "value_file",
    }


def _fit(one: dict[str, Any]) -> dict[str, Any]:
    """A fit as a row: parameters with their errors in words, and how it did on the past."""
    told = [
        f"{each['name']} {each['value']:.4g}" + (f" ± {each['error']:.2g}" if each["error"] is not None else "")
        for each in one["parameters"]
    ]
    return {**one, "said": VERDICTS[one["verdict"]], "parameters": told, "holdout": one.get("holdout")}


def _contract_fit(one: dict[str, Any], margin: Fraction | None) -> dict[str, Any]:
    """A fit of how long contracts last as a row; worth: the money that a new contract is expected to bring."""
    worth = one.get("worth")
    return {**_fit(one), "worth": None if worth is None else arithmetic.margin(worth, margin)}


def _contract_money(contracts: dict[str, Any], margin: Fraction | None) -> dict[str, Fraction | None]:
    """What customers with contracts have brought by now: in all, each of them, and in a month under contract."""
    paid, months = contracts.get("paid"), contracts.get("contract_months")
    whole = None if paid is None else arithmetic.margin(paid, margin)
    return {
        "paid": whole,
        "each": whole / contracts["customers"] if whole is not None and contracts["customers"] else None,
        "month": whole / Fraction(months) if whole is not None and months else None,
    }


def _why_not(document: dict[str, Any]) -> str:
    """Why P(alive) or money is not told, "" where both are."""
    verdict = scores.shown_fit(document)["verdict"]
    if verdict == "not_enough_data":
        return _(
            "Not told: %(repeaters)s customers have ordered on more than one day, and below %(least)s the parameters "
            "of a model are guesses."
        ) % {"repeaters": number(document["repeaters"]), "least": document["least_repeaters"]}
    if verdict == "dropout_not_identified":
        return _(
            "Dropout not identified: these orders look as if nobody were ever lost, so every customer would be called "
            "alive. Expected orders are told, the probability of being a customer still is not."
        )
    if verdict == "no_top":
        return _("Not told: the model found no best fit to these orders.")
    return ""


def _worth(scoring: Scoring, margin: Fraction | None) -> list[tuple[int, Fraction | None]]:
    """Months, and the money expected within them of everybody."""
    return [
        (months, None if revenue is None else arithmetic.margin(revenue, margin))
        for months, revenue in zip((12, 24, 36), scores.totals(scoring=scoring).worth, strict=True)
    ]


def _list_url(kind: str, which: int) -> str:
    return f"{reverse('customers')}?group={scores.group_name(kind, which)}"


def _tenths(kind: str, counts: dict[int, int]) -> list[Step]:
    most = max(counts.values(), default=0)
    return [
        Step(
            f"{10 * step - 10}–{10 * step} %",
            counts.get(step, 0),
            _list_url(kind, step),
            counts.get(step, 0) / most,
            (step - 1) / 10,
            step / 10,
        )
        for step in range(10, 0, -1)
        if most
    ]


def worth_steps(document: dict[str, Any], counts: dict[int, int], margin: Fraction | None) -> list[Step]:
    """Tenths of customers by what they are expected to bring within a year, the best first; tenths that ties make one
    have one row."""
    borders = document["steps"]["worth"]
    if not borders:
        return []
    installation = Installation.current()
    ends = [arithmetic.margin(one, margin) for one in borders]
    shown = [quantity_text(one, "money", installation) for one in ends]
    most = max(counts.values(), default=0)
    rows = []
    for step in sorted((step for step, customers in counts.items() if step and customers), reverse=True):
        if step > len(borders):
            label = _("above %(low)s") % {"low": shown[-1]}
        elif step == 1:
            label = _("up to %(high)s") % {"high": shown[0]}
        else:
            label = _("%(low)s to %(high)s") % {"low": shown[step - 2], "high": shown[step - 1]}
        low, high = (ends[step - 2] if step > 1 else None), (ends[step - 1] if step <= len(ends) else None)
        rows.append(Step(label, counts[step], _list_url("worth", step), counts[step] / most, low, high))
    return rows


def _tracking(document: dict[str, Any]) -> Tracking | None:
    kept = document["tracking"]
    if kept is None:
        return None
    names = {one["key"]: one["name"] for one in document["fits"]}
    lines = [Line(_("Came"), tuple(kept["came"]))]
    lines += [Line(names[key], tuple(values)) for key, values in kept["lines"].items()]
    (shown,) = [one for one in document["fits"] if one["key"] == document["shown"]]
    held = shown["holdout"]
    sentence = ""
    if held is not None:
        sentence = _(
            "The models saw orders up to %(cut)s only. In the %(days)s days after it those %(customers)s customers "
            "ordered again %(came)s times; %(model)s expected %(foretold)s."
        ) % {
            "cut": plain_date(date.fromisoformat(kept["cut"])),
            "days": held["days"],
            "customers": number(kept["customers"]),
            "came": number(held["came"]),
            "model": shown["name"],
            "foretold": number(held["foretold"]),
        }
    return Tracking(
        title=_("Repeat orders in all: what came and what was expected"),
        sentence=sentence,
        labels=tuple(date.fromisoformat(day) for day in kept["days"]),
        lines=tuple(lines),
    )


def _heatmap(counts: dict[int, int]) -> dict[str, Any]:
    """Recency by frequency; monetary value stands below."""
    cells: dict[int, int] = {}
    for rfm, customers in counts.items():
        cells[rfm // 10] = cells.get(rfm // 10, 0) + customers
    most = max(cells.values(), default=0)
    rows = []
    for recency in range(5, 0, -1):
        row = [cells.get(10 * recency + frequency, 0) for frequency in range(1, 6)]
        rows.append(
            {
                "name": _("Recency %(class)s") % {"class": recency},
                "size": sum(row),
                "url": _list_url("recency", recency) if sum(row) else "",
                "cells": [
                    {
                        "text": number(customers),
                        "customers": customers,
                        "level": min(7, int(8 * customers / most)) if customers else None,
                        "incomplete": False,
                        "url": _list_url("rf", 10 * recency + frequency) if customers else "",
                    }
                    for frequency, customers in enumerate(row, 1)
                ],
            }
        )
    return {
        "corner": _("Customers"),
        "columns": [_("Frequency %(class)s") % {"class": one} for one in range(1, 6)],
        "rows": rows,
    }


def _classes(document: dict[str, Any], counts: dict[int, int]) -> list[dict[str, Any]]:
    """What each class of the three values means, and how many are in it."""
    installation = Installation.current()

    units = {"recency": "days", "frequency": "count", "monetary": "money"}

    def told(value: int, name: str) -> str:
        return quantity_text(value, units[name], installation)

    places = {"recency": 100, "frequency": 10, "monetary": 1}
    titles = {
        "recency": _("Recency: days since the last order"),
        "frequency": _("Frequency: days with an order"),
        "monetary": _("Monetary value: net revenue"),
    }
    found = []
    for name, title in titles.items():
        kept = document["rfm"][name]
        if kept is None:
            continue
        rows = []
        for which in range(5, 0, -1):
            if which not in kept["numbers"]:
                continue
            place = kept["numbers"].index(which)
            low = kept["upper"][place - 1] if place else None
            high = kept["upper"][place] if place < len(kept["upper"]) else None
            if low is not None and high is not None:
                label = _("above %(low)s, up to %(high)s") % {"low": told(low, name), "high": told(high, name)}
            elif low is not None:
                label = _("above %(low)s") % {"low": told(low, name)}
            elif high is not None:
                label = _("up to %(high)s") % {"high": told(high, name)}
            else:
                label = _("any")
            customers = sum(one for rfm, one in counts.items() if rfm // places[name] % 10 == which)
            url, ends = _list_url(name, which), {"low": low, "high": high, "unit": units[name]}
            rows.append({"number": which, "label": label, "customers": customers, "url": url, **ends})
        note = ""
        if kept["shared"] is not None:
            note = _("%(share)s share the value %(value)s, so there are %(classes)s classes instead of five.") % {
                "share": percent(kept["shared"]),
                "value": told(kept["most_common"], name),
                "classes": len(kept["numbers"]),
            }
        found.append({"key": name, "title": title, "rows": rows, "note": note})
    return found


def _risk(document: dict[str, Any], counts: dict[int, int]) -> dict[str, Any]:
    risk = document["risk"]
    if risk["refused"]:
        return {"days": risk["days"], "refused": REFUSALS[risk["refused"]]}
    told = {"error": risk["error"], "naive": risk["naive_error"], "base": risk["base_error"]}
    said = _(
        "How far off forecasts were for the last %(days)s days (mean squared error, lower is better): as they are told "
        "%(error).3f, a guess from how long others had been quiet %(naive).3f, saying the same of everybody %(base).3f."
    ) % {"days": risk["days"], **told}
    if risk["error"] >= min(risk["naive_error"], risk["base_error"]):
        said += " " + str(_("On these orders the model is no better than the naive guess."))
    said += " " + _on_the_whole(risk) + " " + _corrected(risk)
    bands = [{**band, "label": f"{10 * band['tenth'] - 10}–{10 * band['tenth']} %"} for band in reversed(risk["bands"])]
    is_told = any(step for step, customers in counts.items() if step and customers)
    return {
        "days": risk["days"],
        "refused": "",
        "said": said,
        "bands": bands,
        "steps": _tenths("risk", {step: customers for step, customers in counts.items() if step}) if is_told else [],
    }


def _on_the_whole(risk: dict[str, Any]) -> str:
    """What was foretold of everybody together and what came, then and in the stretch before: a model that was right
    before and is not now met with something that it knows nothing of."""
    foretold = sum(band["customers"] * band["foretold"] for band in risk["bands"]) / risk["customers"]
    came = risk["silent"] / risk["customers"]
    said = _("Of all %(customers)s together %(foretold)s were foretold to order nothing; %(came)s did.") % {
        "customers": number(risk["customers"]),
        "foretold": percent(foretold),
        "came": percent(came),
    }
    before = risk.get("before")
    if before is None:
        return said
    said += " " + _("In the %(days)s days before those the model foretold %(foretold)s, and %(came)s came.") % {
        "days": risk["days"],
        "foretold": percent(before["foretold"]),
        "came": percent(before["came"]),
    }
    if abs(foretold - came) > UNUSUAL and abs(before["foretold"] - before["came"]) < UNUSUAL / 2:
        said += " " + _("So the last days were unusual, as in a season: the model knows of none.")
    return said


def _corrected(risk: dict[str, Any]) -> str:
    """Whether forecasts are corrected, and by what."""
    if risk.get("judged") is None:
        return _(
            "They are told as the model says them: there was nothing to correct them by, or it would not have made "
            "these any better."
        )
    return _(
        "They are corrected by how forecasts came true in the %(days)s days before they were made; the model alone "
        "would have been off by %(plain).3f. Those of the days to come are corrected by what came here."
    ) % {"days": risk["days"], "plain": risk["uncorrected_error"]}

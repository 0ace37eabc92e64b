"""What the page of an experiment, and its file, tell of what it found: as told at its end, and as counted anew."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics.experiments.comparing import NO_SPREAD, NOBODY, ONE, ZERO_CONTROL, Estimate
from analytics.experiments.ending import Outcome, Since
from analytics.experiments.results import Compared, MetricResult, Results, VariantResult, group_name
from analytics.files import Cell
from clm.lib.milliseconds import written
from clm.lib.templatetags.numbers import MINUS, change_text, money_text, number, percent, quantity_text
from customers.models import Installation

REASONS = {
    NOBODY: gettext_lazy("n/a: nobody to count yet"),
    ONE: gettext_lazy("n/a: it takes two customers"),
    NO_SPREAD: gettext_lazy("n/a: everybody did the same"),
    ZERO_CONTROL: gettext_lazy("n/a: the control is not clearly above zero"),
    "peeking": gettext_lazy("no interval holds at every look"),
}
VERDICTS = {
    "none": gettext_lazy("Nobody is assigned yet."),
    "nobody": gettext_lazy("Nobody was assigned."),
    "assigning": gettext_lazy("Customers are being assigned; look again in a moment."),
    "blocked": gettext_lazy(
        "No verdict: customers were not shared out as the weights say (sample-ratio mismatch). Something lost or added "
        "customers of one variant, so no difference can be believed. Find out what before looking further."
    ),
    "early": gettext_lazy(
        "No verdict yet: a fixed horizon is judged once, when each of its metrics has counted the planned number of "
        "customers. The longest waits %(days)s from a customer's assignment. What stands below may still turn."
    ),
    "unreached": gettext_lazy(
        "No verdict: it was ended before the planned number of customers was counted, so the verdict was not reached."
    ),
    "counting": gettext_lazy("It has ended. What it has found is being counted."),
    "told": gettext_lazy("The verdicts below hold at 5 % false alarms over everything that was asked (Holm)."),
}
JUDGED = {
    "higher": gettext_lazy("higher than the control"),
    "lower": gettext_lazy("lower than the control"),
    "open": gettext_lazy("no difference can be told"),
    "": gettext_lazy("none yet"),
}


def told(found: Outcome) -> dict[str, Any]:
    """What the template of the page prints of what was found."""
    one, reporting = found.told.experiment, Installation.current()
    anew = found.today if found.since is not None else None
    today = {} if anew is None else _differing(found, anew, reporting)
    is_same = found.today is None or found.today.conflicting == found.told.conflicting
    return {
        "found": found.told,
        "told_at": found.told_at,
        "verdict": _verdict_said(found.told),
        "today": anew,
        "agrees_at": found.recounted_at if found.agrees else None,
        "today_verdict": _verdict_said(anew) if anew is not None else "",
        "since": _since(found.since) if found.since is not None else (),
        "assigned": _assigned(found),
        "conflicting_url": _list(found.told, group_name(one, "conflicting"), found.told.conflicting) if is_same else "",
        "metrics": [
            {
                # Lists count anew: where that says what was told, they are the customers behind it.
                "told": _metric(
                    found.told,
                    metric,
                    reporting,
                    opens=metric.place not in today,
                    is_gone=metric.place in found.gone,
                ),
                "today": today.get(metric.place),
            }
            for metric in found.told.metrics
        ],
    }


def cells_of(found: Outcome) -> list[Cell]:
    """The same as rows of a file."""
    cells = _result_cells(found.told)
    if found.told_at is not None:
        cells.insert(1, Cell("scope", "kept_at", "", written(found.told_at)))
    if found.agrees and found.recounted_at is not None:
        cells.insert(2, Cell("scope", "counted_anew_the_same_at", "", written(found.recounted_at)))
    if found.since is not None and found.today is not None:
        anew = _result_cells(found.today)
        cells += [replace(cell, section=f"counted anew: {cell.section}") for cell in anew if cell.section != "scope"]
        cells += [Cell("became known later", name, "", value) for name, value in asdict(found.since).items()]
    return cells


def _verdict(found: Results) -> str:
    """Which sentence of VERDICTS says where it stands."""
    state = found.experiment.state
    if state == "assigning" or found.verdict == "counting":
        return "counting" if found.verdict == "counting" else state
    return "nobody" if found.verdict == "none" and state != "draft" else found.verdict


def _verdict_said(found: Results) -> str:
    """That sentence, with how long the metric that waits longest takes."""
    longest = max(metric["days"] for metric in found.experiment.metrics)
    return str(VERDICTS[_verdict(found)]).replace("%(days)s", quantity_text(longest, "days", None))


def _assigned(found: Outcome) -> list[dict[str, Any]]:
    """Customers by variant as told, and as counted anew where that says otherwise."""
    one, today = found.told.experiment, dict(found.today.assigned) if found.today else {}
    weights = sum(variant.weight for variant, _count in found.told.assigned)
    rows = []
    for variant, count in found.told.assigned:
        anew = today[variant] if today.get(variant, count) != count else None
        url = _list(found.told, group_name(one, "assigned", variant), count if anew is None else anew)
        share = variant.weight / weights
        rows.append({"variant": variant, "share": share, "count": count, "today": anew, "url": url})
    return rows


def _since(since: Since) -> list[str]:
    """What became known after the end, a sentence each."""
    told = [
        (
            since.late,
            ngettext(
                "%(number)s touchpoint that happened before the end became known after it.",
                "%(number)s touchpoints that happened before the end became known after it.",
                since.late,
            ),
        ),
        (
            since.converted,
            ngettext(
                "%(number)s amount got an exchange rate after the end.",
                "%(number)s amounts got an exchange rate after the end.",
                since.converted,
            ),
        ),
        (
            since.moved,
            ngettext(
                "%(number)s customer was merged or taken apart after the end.",
                "%(number)s customers were merged or taken apart after the end.",
                since.moved,
            ),
        ),
        (
            since.erased,
            ngettext(
                "%(number)s customer was erased after the end.",
                "%(number)s customers were erased after the end.",
                since.erased,
            ),
        ),
    ]
    sentences = [text % {"number": number(count)} for count, text in told if count]
    if since.goals:
        sentences.append(_("What was to be reached is defined otherwise now."))
    if since.types:
        sentences.append(_("Which touchpoints are orders and refunds is defined otherwise now."))
    return sentences or [_("It was still being worked out what some touchpoints meant when it ended.")]


def _list(found: Results, group: str, count: int) -> str:
    return f"{reverse('customers')}?group={group}&as_of={written(found.as_of)}" if count else ""


# --- as people read it -------------------------------------------------------------------------------------------
def _differing(found: Outcome, today: Results, reporting: Installation) -> dict[int, dict[str, Any]]:
    """By their places, the metrics of which a recount says otherwise, as it does."""
    return {
        anew.place: _metric(today, anew, reporting, opens=True, is_gone=False)
        for told, anew in zip(found.told.metrics, today.metrics, strict=True)
        if told != anew and told.place not in found.gone
    }


def _metric(
    found: Results, metric: MetricResult, reporting: Installation, *, opens: bool, is_gone: bool
) -> dict[str, Any]:
    """opens: whether lists count what is told; is_gone: whether nobody can be found any more who reached it."""

    def told(value: float) -> str:
        if metric.unit == "percent":
            return percent(value)
        return money_text(value, reporting)

    def apart(value: float) -> str:
        # Of two shares: 10% and 12% differ by 2 percentage points, and by 20% of the first.
        return change_text(value, "points", reporting) if metric.unit == "percent" else told(value)

    def opened(which: str, one: VariantResult, count: int) -> str:
        group = group_name(found.experiment, which, one.variant, metric.place)
        return _list(found, group, count) if opens and not is_gone else ""

    def shown(one: VariantResult) -> dict[str, Any]:
        return {
            "variant": one.variant,
            "counted": one.counted,
            "counted_url": opened("counted", one, one.counted),
            "converted": one.converted,
            "converted_url": opened("converted", one, one.converted),
            "mean": _n_a(one.mean) if one.mean.value is None else told(one.mean.value),
            "between": _between(one.mean, told),
        }

    def compared(one: Compared) -> dict[str, Any]:
        difference, lift = one.comparison.difference, one.comparison.lift
        explained = None
        if one.explained is not None and one.explained.difference.value is not None:
            explained = {
                "difference": _signed(one.explained.difference.value, apart),
                "between": _between(one.explained.difference, apart),
                "removed": percent(one.removed),
            }
        return {
            "variant": one.variant,
            "difference": _n_a(difference) if difference.value is None else _signed(difference.value, apart),
            "between": _between(difference, apart),
            "lift": _n_a(lift) if lift.value is None else _signed(lift.value, percent),
            "lift_between": _between(lift, percent),
            "p": _chance(one.p),
            "explained": explained,
            "verdict": JUDGED[one.verdict],
            "is_told": one.verdict in ("higher", "lower"),
        }

    return {
        "metric": metric,
        "title": metric.label[:1].upper() + metric.label[1:],
        "variants": [shown(one) for one in metric.variants],
        "compared": [compared(one) for one in metric.compared],
        "waiting": metric.waiting,
        "is_money": metric.unit == "money",
        "is_gone": is_gone,
    }


def _chance(p: float | None) -> str:
    if p is None:
        return _("n/a")
    return f"{p:.4f}" if p >= 0.0001 else _("below 0.0001")


def _n_a(one: Estimate) -> str:
    return str(REASONS.get(one.reason, _("n/a")))


def _between(one: Estimate, told: Callable[[float], str]) -> str:
    if one.low is None or one.high is None:
        return _n_a(one) if one.reason and one.value is not None else ""
    return _("%(low)s to %(high)s") % {"low": _minus(one.low, told), "high": _minus(one.high, told)}


def _minus(value: float, told: Callable[[float], str]) -> str:
    return f"{MINUS}{told(-value)}" if value < 0 else told(value)


def _signed(value: float, told: Callable[[float], str]) -> str:
    return _minus(value, told) if value <= 0 else f"+{told(value)}"


# --- files -------------------------------------------------------------------------------------------------------
def _result_cells(found: Results) -> list[Cell]:
    one, reporting = found.experiment, Installation.current()
    scope: dict[str, Any] = {
        "experiment": one.key,
        "as_of": written(found.as_of),
        "mode": one.mode,
        "planned": one.planned,
    }
    cells = [Cell("scope", name, "", value) for name, value in scope.items()]
    cells.append(Cell("verdict", one.key, "", found.verdict))
    if found.verdict == "counting":
        return cells
    for variant, count in found.assigned:
        cells.append(Cell("assigned", variant.key, f"weight {variant.weight}", count, "customers"))
    cells.append(Cell("assigned", "two variants after merges", "", found.conflicting, "customers"))
    cells.append(Cell("sample ratio", "p", "", found.ratio.p, "", "" if found.ratio.p is not None else "n/a"))
    for metric in found.metrics:
        unit = reporting.currency if metric.unit == "money" else metric.unit
        apart = "percentage points" if metric.unit == "percent" else unit
        factor = 10**-reporting.minor_digits if metric.unit == "money" else 100

        def add(
            item: str, name: str, value: Estimate, factor: float = factor, unit: str = unit, label: str = metric.label
        ) -> None:
            for part in ("value", "low", "high"):
                given = getattr(value, part)
                shown = None if given is None else round(given * factor, 9)
                note = "" if shown is not None else value.reason or "n/a"
                cells.append(Cell(label, item, f"{name} {part}", shown, unit, note))

        for each in metric.variants:
            cells.append(Cell(metric.label, each.variant.key, "counted", each.counted, "customers"))
            cells.append(Cell(metric.label, each.variant.key, "did it", each.converted, "customers"))
            add(each.variant.key, "mean", each.mean)
        for pair in metric.compared:
            add(pair.variant.key, "difference", pair.comparison.difference, unit=apart)
            add(pair.variant.key, "lift", pair.comparison.lift, 100, "percent")
            if pair.explained is not None:
                add(pair.variant.key, "difference with CUPED", pair.explained.difference, unit=apart)
            cells.append(Cell(metric.label, pair.variant.key, "p (Holm)", pair.p, "", pair.verdict or "no verdict yet"))
    return cells

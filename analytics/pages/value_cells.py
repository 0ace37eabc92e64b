"""What the page of value shows, number by number, for files."""

from typing import Any

from analytics.files import Cell
from analytics.models import Scoring
from analytics.units import shown_number
from clm.lib.milliseconds import written
from customers.models import Installation


def value_cells(scoring: Scoring, shown: dict[str, Any]) -> list[Cell]:
    """One row per number. shown: what the page is filled from."""
    installation = Installation.current()
    document, basis = shown["document"], "revenue" if shown["margin"] is None else "margin"
    told = {
        "as_of": scoring.as_of.isoformat(),
        "computed_at": written(scoring.done_at) if scoring.done_at else "",
        "basis": basis,
        "model": shown["shown"]["name"],
        "currency": installation.currency,
    }
    cells = [Cell("scope", name, "", value) for name, value in told.items()]
    totals, why_not = shown["totals"], shown["why_not"]
    cells.append(Cell("figures", "customers who have ordered", "value", totals.customers, "customers"))
    alive = None if totals.alive is None else round(totals.alive, 6)
    cells.append(Cell("figures", "expected to be customers still", "value", alive, "customers", why_not))
    for months, money in shown["worth"]:
        amount = shown_number(None if money is None else float(money), "money", installation.minor_digits)
        cells.append(
            Cell("figures", f"expected within {months} months", "value", amount, installation.currency, why_not)
        )
    for row in shown["heatmap"]["rows"]:
        for name, cell in zip(shown["heatmap"]["columns"], row["cells"], strict=True):
            cells.append(Cell("recency and frequency", row["name"], name, cell["customers"], "customers"))
    for one in shown["classes"]:
        for row in one["rows"]:
            item = f"{one['key']} {row['number']}"
            cells.append(Cell("classes", item, "customers", row["customers"], "customers", row["label"]))
            cells += _ends("classes", item, (row["low"], row["high"]), row["unit"], installation)
    for section, steps, unit in (
        ("customers still", shown["alive"], "percent"),
        ("expected value", shown["worth_steps"], "money"),
        ("risk", shown["risk"].get("steps", []), "percent"),
    ):
        for step in steps:
            cells.append(Cell(section, step.label, "customers", step.customers, "customers"))
            cells += _ends(section, step.label, (step.low, step.high), unit, installation)
    for band in shown["risk"].get("bands", []):
        cells.append(Cell("foretold and came", band["label"], "customers", band["customers"], "customers"))
        for name in ("foretold", "came", "low", "high"):
            share = shown_number(band[name], "percent", 0)
            cells.append(Cell("foretold and came", band["label"], name, share, "percent"))
    for fit in [*shown["fits"], *shown["contract_fits"]]:
        cells += _fit_cells(fit)
    if document["tracking"] is not None:
        tracking = shown["tracking"]
        for line in tracking.lines:
            for day, orders in zip(tracking.labels, line.values, strict=True):
                cells.append(Cell("repeat orders", day.isoformat(), line.name, orders, "orders"))
    for row in document["contracts"].get("months", []):
        for name, unit in (("at_risk", "contracts"), ("ended", "contracts")):
            cells.append(Cell("contracts", str(row["month"]), name, row[name], unit))
        for name in ("share", "sbg", "bdw"):
            share = shown_number(row.get(name), "percent", 0)
            cells.append(Cell("contracts", str(row["month"]), name, share, "percent"))
    return cells


def _ends(section: str, item: str, ends: tuple[Any, Any], unit: str, installation: Installation) -> list[Cell]:
    """The numbers between which the customers of a row lie; an end that is open has no row."""
    named = {"money": installation.currency, "count": "days with an order"}.get(unit, unit)
    return [
        Cell(section, item, measure, shown_number(float(end), unit, installation.minor_digits), named)
        for measure, end in zip(("above", "up to"), ends, strict=True)
        if end is not None
    ]


def _fit_cells(fit: dict[str, Any]) -> list[Cell]:
    cells = [Cell("models", fit["name"], "result", str(fit["said"]))]
    for name in ("customers", "repeaters", "log_likelihood", "lifetime"):
        if name in fit:
            cells.append(Cell("models", fit["name"], name, fit[name]))
    cells.append(Cell("models", fit["name"], "parameters", ", ".join(fit["parameters"])))
    if fit.get("holdout"):
        for name in ("foretold", "came"):
            cells.append(Cell("models", fit["name"], name, fit["holdout"][name], "orders"))
        error = shown_number(fit["holdout"]["error"], "percent", 0)
        cells.append(Cell("models", fit["name"], "off by", error, "percent"))
    return cells

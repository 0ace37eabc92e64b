"""What a scoring found, as the JSON that is kept beside it and that pages and the API print: the fits with everything
one must know to trust them, the tracking plot, the proof of the risk, and the borders of classes and steps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..days.calendar import day_of
from .calibrating import Correction
from .climbing import Climbed
from .contracts import Contracts, Lasting, fit_bdw, fit_sbg
from .discounting import ANNUAL_RATE, monthly_rate
from .everybody import Everybody
from .fitting import KINDS, LEAST_REPEATERS, Fit, Model, Verdict, cumulative_orders, fit, holdout
from .gamma_gamma import MOST_CORRELATION, GammaGamma, fit_gamma_gamma, spending
from .proving import RISK_DAYS, Proof, Refusal, proof
from .purchases import Floats, Purchases
from .rfm import Thresholds, thresholds

# Pareto/NBD is an integral per history: of so many different ones it would take minutes, and is left out.
MOST_PATTERNS = 150_000
# The model whose P(alive) and orders are shown. BG/NBD believes every one-time buyer to be alive.
SHOWN = "mbg"
MOST_POINTS = 120  # of the tracking plot
MONTHS_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Worth:
    """What is needed to score: the fitted model of orders and that of what they are worth, each None where refused;
    correction: of the risk, None where it is told as the model says it; lasting: the model of contracts, None where
    refused; monthly: what contracts pay a month on average, minor units, None where none is known; contracts_alive:
    whether those under contract are counted among those who are customers still."""

    orders: Model | None
    tells_alive: bool
    values: GammaGamma | None
    tells_risk: bool
    correction: Correction | None = None
    lasting: Lasting | None = None
    monthly: float | None = None
    contracts_alive: bool = False

    def risk(self, purchases: Purchases, days: float) -> Floats:
        """The probability, row by row, of ordering nothing within so many days; only where it is told."""
        assert self.orders is not None
        found = self.orders.silent(purchases, days)
        return found if self.correction is None else self.correction.corrected(found)


def found_in(people: Everybody) -> tuple[dict[str, Any], Worth]:
    """The document, and what scores are computed with."""
    together, _places = people.buyers(people.until)
    patterns = len(together.purchases.repeats)
    keys = [key for key in KINDS if key != "pareto" or patterns <= MOST_PATTERNS]
    fitted = {key: fit(key, together.purchases) for key in keys}
    proved, tracking = _tracked(people, keys)
    spent, values = _spent(people)
    risk = proof(people)
    shown = fitted[SHOWN]
    document: dict[str, Any] = {
        "customers": together.purchases.customers,
        "repeaters": together.purchases.repeaters,
        "histories": patterns,
        "with_contract": people.with_contract,
        "first_day": day_of(people.start).isoformat(),
        "least_repeaters": LEAST_REPEATERS,
        "annual_rate": ANNUAL_RATE,
        "shown": SHOWN,
        "fits": [{**_written(one), "holdout": proved.get(one.key)} for one in fitted.values()],
        "left_out": [KINDS[key].name for key in KINDS if key not in keys],
        "tracking": tracking,
        "spending": spent,
        "risk": {"days": RISK_DAYS, **_written_proof(risk)},
        "contracts": _contracts(Contracts(people.lost.astype(float), people.open.astype(float)), people),
        "rfm": {
            "recency": _classes(thresholds(people.silent_days, descending=True)),
            "frequency": _classes(thresholds(people.known[people.until].repeats + 1)),
            "monetary": _classes(thresholds(people.revenue)),
        },
    }
    # Sums are of all or of nobody.
    has_orders = bool(together.purchases.customers)
    document["contracts"]["tells_alive"] = shown.tells_alive or not has_orders
    document["contracts"]["adds_worth"] = not has_orders or (shown.model is not None and values is not None)
    tells_risk = isinstance(risk, Proof) and shown.model is not None
    told = risk.told if isinstance(risk, Proof) else None
    return document, Worth(shown.model, shown.tells_alive, values, tells_risk, told, *_lasting(document["contracts"]))


def worth_of(document: Mapping[str, Any]) -> Worth:
    """What scores are computed with, from a document that was kept: by whoever goes on where another was killed."""
    (shown,) = [one for one in document["fits"] if one["key"] == document["shown"]]
    known = shown["verdict"] in (Verdict.FITTED, Verdict.DROPOUT_NOT_IDENTIFIED)
    model = KINDS[SHOWN].made(tuple(one["value"] for one in shown["parameters"])) if known else None
    told = shown["verdict"] == Verdict.FITTED
    spent = document["spending"]
    values = GammaGamma(*(one["value"] for one in spent["parameters"])) if spent["verdict"] == Verdict.FITTED else None
    risk = document["risk"]
    # Scorings that were made before risks were corrected say nothing of it.
    corrects = None if risk.get("told") is None else Correction(**risk["told"])
    return Worth(model, told, values, known and risk["refused"] == "", corrects, *_lasting(document["contracts"]))


def _lasting(told: Mapping[str, Any]) -> tuple[Lasting | None, float | None, bool]:
    """The model of contracts that is shown, what they pay a month, and whether they are counted as customers still."""
    shown = next((one for one in told["fits"] if one["key"] == told.get("shown")), None)
    if shown is None:
        return None, None, False
    monthly = told["paid"] / told["contract_months"] if told["paid"] > 0 and told["contract_months"] > 0 else None
    return Lasting(*(one["value"] for one in shown["parameters"])), monthly, told["tells_alive"]


def classes_of(document: Mapping[str, Any], name: str) -> Thresholds | None:
    """The classes of recency, frequency or monetary value that a document keeps."""
    kept = document["rfm"][name]
    if kept is None:
        return None
    return Thresholds(tuple(kept["upper"]), tuple(kept["numbers"]), kept["shared"], kept["most_common"])


def _written(one: Fit) -> dict[str, Any]:
    return {
        "key": one.key,
        "name": one.name,
        "verdict": str(one.verdict),
        "customers": one.customers,
        "repeaters": one.repeaters,
        "parameters": [asdict(each) for each in one.parameters],
        "log_likelihood": one.log_likelihood,
    }


def _classes(found: Thresholds | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _written_proof(found: Proof | Refusal) -> dict[str, Any]:
    return {"refused": str(found)} if isinstance(found, Refusal) else {"refused": "", **asdict(found)}


def _tracked(people: Everybody, keys: Sequence[str]) -> tuple[dict[str, dict[str, Any]], dict[str, Any] | None]:
    """How well models fitted to what was known at the cut foretold what came after it, and the tracking plot."""
    if people.cut >= people.until:
        return {}, None
    together, places = people.buyers(people.cut)
    days = people.until - people.cut
    came = int((people.known[people.until].repeats[places] - people.known[people.cut].repeats[places]).sum())
    step = 7 * max(1, -(-(people.until - people.start) // (7 * MOST_POINTS)))
    ends = np.arange(people.until, people.start, -step)[::-1]
    total = np.cumsum(people.repeat_days)
    proved: dict[str, dict[str, Any]] = {}
    lines: dict[str, list[float]] = {}
    for key in keys:
        found = fit(key, together.purchases)
        if found.model is None:
            continue
        held = holdout(found.model, together.purchases, days=days, came=came)
        proved[key] = {"foretold": held.foretold, "came": held.came, "error": held.error, "days": days}
        expected: Floats = cumulative_orders(found.model, first=people.first[places], days=ends)
        lines[key] = [round(float(one), 1) for one in expected]
    if not lines:
        return {}, None
    return proved, {
        "cut": day_of(people.cut).isoformat(),
        "customers": len(places),
        "days": [day_of(int(day)).isoformat() for day in ends],
        "came": [int(one) for one in total[ends - people.start]],
        "lines": lines,
    }


def _spent(people: Everybody) -> tuple[dict[str, Any], GammaGamma | None]:
    """What orders are worth: the fitted Gamma-Gamma, or why it is refused."""
    spent = spending(people.known[people.until].repeats, people.mean)
    told: dict[str, Any] = {"customers": len(spent.mean), "correlation": spent.correlation, "parameters": []}
    told["most_correlation"] = MOST_CORRELATION
    if len(spent.mean) < LEAST_REPEATERS:
        return {**told, "verdict": str(Verdict.NOT_ENOUGH_DATA)}, None
    found = fit_gamma_gamma(spent)
    told |= _parameters(found)
    model = GammaGamma(*found.values)
    mean = model.population_mean
    if not found.converged or found.at_border or mean is None:
        return {**told, "verdict": str(Verdict.NO_TOP)}, None
    return {**told, "verdict": str(Verdict.FITTED), "population_mean": mean}, model


def _parameters(found: Climbed) -> dict[str, Any]:
    return {"parameters": [asdict(each) for each in found.parameters], "log_likelihood": found.log_likelihood}


def _contracts(contracts: Contracts, people: Everybody) -> dict[str, Any]:
    """How long contracts last, month by month: what was seen, and the two models of it."""
    told: dict[str, Any] = {
        "customers": people.with_contract,
        "number": contracts.number,
        "ended": contracts.ended,
        "paid": people.paid,
        "contract_months": people.months,
        "shown": None,
        "fits": [],
        "months": [],
    }
    lost, open_ = contracts.lost, contracts.open
    length = max(len(lost), len(open_))
    contracts = Contracts(np.pad(lost, (0, length - len(lost))), np.pad(open_, (0, length - len(open_))))
    if contracts.ended < LEAST_REPEATERS:
        return {**told, "verdict": str(Verdict.NOT_ENOUGH_DATA)}
    models: dict[str, Lasting] = {}
    monthly = monthly_rate()
    for key, name, climbed in (("sbg", "sBG", fit_sbg(contracts)), ("bdw", "BdW", fit_bdw(contracts))):
        is_found = climbed.converged and not climbed.at_border
        verdict = Verdict.FITTED if is_found else Verdict.NO_TOP
        row = {"key": key, "name": name, "verdict": str(verdict), **_parameters(climbed)}
        row |= {"lifetime": None, "worth": None}
        if is_found:
            models[key] = Lasting(*climbed.values)
            lifetime = models[key].lifetime(monthly)
            row["lifetime"] = lifetime
            if people.paid > 0 and people.months > 0 and lifetime is not None:
                row["worth"] = round(lifetime * people.paid / people.months)
        told["fits"].append(row)
    told["shown"] = _better(told["fits"])
    at_risk, share = float(contracts.number), 1.0
    for month in range(1, min(length, MONTHS_SHOWN) + 1):
        gone, unseen = contracts.lost[month - 1], contracts.open[month - 1]
        if at_risk <= 0:
            break
        share *= 1 - gone / at_risk
        row = {"month": month, "at_risk": int(at_risk), "ended": int(gone), "share": share}
        for key, model in models.items():
            row[key] = float(model.surviving([month])[0])
        told["months"].append(row)
        at_risk -= gone + unseen
    return {**told, "verdict": str(Verdict.FITTED if models else Verdict.NO_TOP)}


def _better(fits: Sequence[Mapping[str, Any]]) -> str | None:
    """Which of the fitted models of contracts tells more for its parameters (Akaike); None where neither is fitted."""
    found = [one for one in fits if one["verdict"] == Verdict.FITTED]
    best = min(found, key=lambda one: len(one["parameters"]) - one["log_likelihood"], default=None)
    return None if best is None else str(best["key"])

"""Reading what customers were scored: the scoring that is shown, who is behind its numbers, and what it says of one
customer. Nothing here computes: scores are made by `analytics.value.scoring`."""

import math
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.db.models import Min
from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.periods import local_day
from clm.lib.questions import QuestionError
from customers.models import Installation, ScoreStep

from .models import SalesDay, Score, Scoring
from .value import arithmetic

STEPS = ("alive", "risk", "worth")
_RFM = {"rf": 10, "rfm": 1}
_PLACES = {"recency": 100, "frequency": 10, "monetary": 1}


@dataclass(frozen=True, slots=True)
class Totals:
    """All scored customers together. alive: how many are expected to be customers still; worth: revenue expected within
    12, 24 and 36 months, minor units; None where the data do not tell."""

    customers: int
    alive: float | None
    worth: tuple[int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class CustomerScore:
    """What a scoring says of one customer. worth: money expected within 12, 24 and 36 months, discounted, in minor
    units: margin where is_margin, revenue otherwise; percent: the margin's, None while none is set. Under contract:
    renewals, whole months of it, and lasting, the probability that it still runs in 12, 24 and 36 months; customers are
    then the contracts that the model was fitted to."""

    as_of: date
    customers: int
    model: str
    alive: float | None
    risk: float | None
    risk_days: int
    worth: tuple[Fraction | None, Fraction | None, Fraction | None]
    percent: Fraction | None
    silent_days: int
    orders: int
    revenue: int
    rfm: int
    renewals: int | None = None
    lasting: tuple[float, ...] = ()

    @property
    def is_margin(self) -> bool:
        return self.percent is not None


def latest_scoring(*, until: date | None = None) -> Scoring | None:
    """The finished scoring of the latest day (that is not after `until`)."""
    done = Scoring.objects.filter(state=Scoring.State.DONE)
    if until is not None:
        done = done.filter(as_of__lte=until)
    return done.order_by("-as_of", "-pk").first()


def is_anything_ordered(*, now: datetime) -> bool:
    """Whether there is anything to score: orders up to the end of the day before."""
    until = local_day(now, Installation.current().time_zone)
    return SalesDay.objects.filter(products_only=False, orders__gt=0, day__lt=until).exists()


def scores_told_since() -> datetime | None:
    """The instant from which rules were told scores, None while none is told: the first entry of score_step_told."""
    first: datetime | None = ScoreStep.objects.aggregate(first=Min("set_at"))["first"]
    return first


def under_way() -> Scoring | None:
    """The scoring that somebody is at work on, or that waits for whoever goes on with it."""
    return Scoring.objects.filter(state=Scoring.State.STARTED).first()


def margin_percent() -> Fraction | None:
    """The part of revenue that is margin, in percent; None while none is set."""
    percent = Installation.current().margin_percent
    return None if percent is None else Fraction(percent)


def totals(*, scoring: Scoring) -> Totals:
    """Sums over everybody who is scored, as they were kept with the scoring."""
    kept = scoring.document["totals"]
    return Totals(scoring.customers, kept["alive"], (kept["worth_12"], kept["worth_24"], kept["worth_36"]))


def counts(*, scoring: Scoring) -> dict[str, dict[int, int]]:
    """How many customers are in each step of `alive`, `risk` and `worth`, and in each class `rfm`: those one finds in a
    list, so without who was merged into others since, or let go with an import that was taken back."""
    found = {
        what: {int(which): number for which, number in of.items()}
        for what, of in scoring.document.get("counts", {}).items()
    }
    for what, which, number in sql.rows("analytics/value_counts_gone", scoring=scoring.pk):
        found[what][which] -= number
    return found


def group_name(kind: str, number: int) -> str:
    """The name of the group of a step or a class."""
    return f"score:{kind}:{number}"


def refuse_unknown_group(group: str) -> None:
    """QuestionError names the field `group` when there is no such group."""
    _parsed(group)


def customers_of(*, group: str) -> list[int]:
    """The ids of the customers of a step or a class, by the scoring that is shown."""
    kind, number = _parsed(group)
    scoring = latest_scoring()
    if scoring is None:
        return []
    scores = Score.objects.filter(scoring=scoring.pk)
    if kind in STEPS:
        found = scores.filter(**{f"{kind}_step": number})
    elif kind in _RFM:
        low = number * _RFM[kind]
        found = scores.filter(rfm__gte=low, rfm__lt=low + _RFM[kind])
    else:
        # Three digits: the class is one of them.
        numbers = [rfm for rfm in range(111, 556) if rfm // _PLACES[kind] % 10 == number]
        found = scores.filter(rfm__in=numbers)
    return list(found.order_by("customer").values_list("customer", flat=True))


def said(group: str) -> str:
    """What the customers of a group have in common, as the end of "12 customers ..."."""
    kind, number = _parsed(group)
    if kind in ("alive", "risk"):
        band = {"low": 10 * (number - 1), "high": 10 * number}
        if kind == "alive":
            return _("who are still customers with a probability of %(low)s to %(high)s %%") % band
        return _("who order nothing for a while with a probability of %(low)s to %(high)s %%") % band
    if kind == "worth":
        return _("in tenth %(number)s by expected value") % {"number": number}
    if kind == "rfm":
        return _("with recency %(r)s, frequency %(f)s and monetary value %(m)s") % _digits(number)
    if kind == "rf":
        return _("with recency %(r)s and frequency %(f)s") % _digits(number * 10)
    names = {"recency": _("recency"), "frequency": _("frequency"), "monetary": _("monetary value")}
    return _("with %(name)s %(number)s") % {"name": names[kind], "number": number}


def _digits(number: int) -> dict[str, int]:
    return {"r": number // 100, "f": number // 10 % 10, "m": number % 10}


def _parsed(group: str) -> tuple[str, int]:
    kind, _colon, number = group.removeprefix("score:").partition(":")
    known = kind in STEPS or kind in _RFM or kind in _PLACES
    if not known or not (number.isascii() and number.isdigit() and 0 < int(number) < 1000):
        raise QuestionError("group", _("There is no group “%(group)s”.") % {"group": group[:60]})
    return kind, int(number)


def score_of(*, customer: int, until: date | None = None) -> CustomerScore | None:
    """What the latest scoring (not after `until`) says of a customer; None when it says nothing: the customer has not
    bought by then, or its contract has ended."""
    scoring = latest_scoring(until=until)
    score = scoring and Score.objects.filter(scoring=scoring.pk, customer=customer).first()
    return _told(scoring, score) if scoring and score else None


def scores_of(*, customer: int) -> list[CustomerScore]:
    """What all kept scorings say of a customer, the latest first: that of the last finished day, and those of ends of
    months."""
    scorings = {one.pk: one for one in Scoring.objects.filter(state=Scoring.State.DONE)}
    scores = Score.objects.filter(scoring__in=list(scorings), customer=customer)
    told = [(scorings[one.scoring_id], one) for one in scores]
    return [_told(scoring, one) for scoring, one in sorted(told, key=lambda pair: (pair[0].as_of, pair[0].pk))[::-1]]


def _told(scoring: Scoring, score: Score) -> CustomerScore:
    document, percent = scoring.document, margin_percent()

    def money(revenue: int | None) -> Fraction | None:
        return None if revenue is None else arithmetic.margin(revenue, percent)

    contracts = document["contracts"] if score.renewals is not None else None
    fit = shown_fit(document if contracts is None else contracts)
    return CustomerScore(
        as_of=scoring.as_of,
        customers=document["customers"] if contracts is None else contracts["number"],
        model=fit["name"],
        alive=score.alive,
        risk=score.risk,
        risk_days=document["risk"]["days"],
        worth=(money(score.worth_12), money(score.worth_24), money(score.worth_36)),
        percent=percent,
        silent_days=score.silent_days,
        orders=score.orders,
        revenue=score.revenue,
        rfm=score.rfm,
        renewals=score.renewals,
        lasting=() if score.renewals is None else _lasting(fit, score.renewals),
    )


def _lasting(fit: dict[str, Any], renewals: int) -> tuple[float, ...]:
    """The share of contracts of so many renewals that will have run for 12, 24 and 36 months more. As
    `analytics.value.contracts` has it, without SciPy, which pages do not pay for."""
    values = {one["name"]: one["value"] for one in fit["parameters"]}
    a, b, c = values["a"], values["b"], values.get("c", 1.0)

    def log_surviving(periods: int) -> float:
        grown = b + periods**c
        return math.lgamma(grown) - math.lgamma(a + grown)

    return tuple(math.exp(log_surviving(renewals + months) - log_surviving(renewals)) for months in (12, 24, 36))


def shown_fit(document: dict[str, Any]) -> dict[str, Any]:
    """The fit whose probabilities are shown, of a whole document or of its part about contracts."""
    (found,) = [one for one in document["fits"] if one["key"] == document["shown"]]
    return dict(found)

"""What an experiment found: who was assigned, whether they were shared out as meant, and each metric by variant.

Everybody counts as assigned, whatever reached them (intention to treat), once the days of the metric are over: so the
same time counts for everybody. Customers in whom merges brought two variants together count nowhere, and are told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from analytics.intervals import Moments, mean_interval, moments, wilson
from campaigns.models import Experiment, Variant
from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import quantity_text
from customers.models import Installation

from .comparing import Comparison, Estimate, compare_means, compare_rates, holm
from .counting import ByVariant, Counts, counts, listed, reach
from .cuped import Sums, adjusted
from .peeking import always_valid
from .ratio import SampleRatio, sample_ratio

ALPHA = 0.05
WHICH = ("assigned", "counted", "converted")


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One variant under one metric. counted: customers whose days are over; converted: of them, with the outcome (of
    revenue, with money above zero); mean: the share, or money per customer in minor units, with its interval."""

    variant: Variant
    counted: int
    converted: int
    mean: Estimate


@dataclass(frozen=True, slots=True)
class Compared:
    """A variant against the control. p: adjusted by Holm over everything the experiment asks; explained: the same with
    spend before the assignment taken into account, None where nothing can be; removed: the share of the variance that
    is gone then; verdict: higher, lower, open (no difference can be told), or "" while none is given."""

    variant: Variant
    comparison: Comparison
    p: float | None
    explained: Comparison | None
    removed: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric. unit: percent or money; waiting: customers whose days are not over."""

    place: int
    document: Mapping[str, Any]
    label: str
    unit: str
    variants: tuple[VariantResult, ...]
    compared: tuple[Compared, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class Results:
    """Everything told of an experiment. assigned: customers by variant; conflicting: in two variants after merges;
    verdict: none (draft), blocked (the sample ratio), early (fixed horizon: the planned number is not reached yet),
    unreached (nor ever will be: it has ended), or told."""

    experiment: Experiment
    as_of: datetime
    assigned: tuple[tuple[Variant, int], ...]
    conflicting: int
    ratio: SampleRatio
    metrics: tuple[MetricResult, ...]
    verdict: str

    @property
    def total(self) -> int:
        return sum(count for _variant, count in self.assigned)


def results(*, experiment: Experiment, as_of: datetime) -> Results:
    """What is known of an experiment at an instant."""
    until = reach(experiment, as_of)
    return results_of(experiment=experiment, counted=counts(experiment=experiment, until=until), until=until)


def results_of(*, experiment: Experiment, counted: Sequence[ByVariant], until: datetime) -> Results:
    """What these counts, one of each metric, say of an experiment at an instant."""
    variants = list(experiment.variants.all())
    first = counted[0]
    assigned = tuple((one, first.get(one.pk, Counts()).assigned) for one in variants)
    numbers = [count for _one, count in assigned]
    ratio = sample_ratio(counts=numbers, weights=[one.weight for one in variants])
    conflicting = first.get(None, Counts()).assigned
    told = [
        _told(place, document, experiment, variants, by_variant)
        for place, (document, by_variant) in enumerate(zip(experiment.metrics, counted, strict=True))
    ]
    verdict = _verdict(experiment, ratio, told, sum(numbers), until)
    return Results(experiment, until, assigned, conflicting, ratio, _judged(told, verdict), verdict)


def _verdict(
    experiment: Experiment, ratio: SampleRatio, told: Sequence[MetricResult], assigned: int, until: datetime
) -> str:
    if experiment.started_at is None or not assigned:
        return "none"
    if ratio.blocks:
        return "blocked"
    if experiment.mode == Experiment.Mode.PEEK_SAFE:
        return "told"
    if min(sum(one.counted for one in metric.variants) for metric in told) >= experiment.planned:
        return "told"
    return "early" if experiment.ended_at is None or until < experiment.ended_at else "unreached"


def _told(
    place: int,
    document: Mapping[str, Any],
    experiment: Experiment,
    variants: Sequence[Variant],
    by_variant: ByVariant,
) -> MetricResult:
    counted = [by_variant.get(one.pk, Counts()) for one in variants]
    sums = [one.sums for one in counted]
    is_money = document["kind"] == "revenue"
    found = adjusted(sums) if is_money else None
    compared = []
    for at, one in list(enumerate(variants))[1:]:
        if is_money:
            plain = compare_means(variant=_moments(sums[at]), control=_moments(sums[0]))
        else:
            plain = compare_rates(variant=(sums[at].y, sums[at].count), control=(sums[0].y, sums[0].count))
        explained = None
        if found is not None and experiment.mode == Experiment.Mode.FIXED:
            explained = compare_means(variant=found.variants[at], control=found.variants[0])
        if experiment.mode == Experiment.Mode.PEEK_SAFE:
            # What is stated in whole units of the currency is counted in minor ones.
            minor = 10 ** Installation.current().minor_digits if is_money else 1
            plain = _peeked(plain, document["tau"] * minor)
        compared.append(Compared(one, plain, plain.p, explained, found.removed if explained and found else None, ""))
    shown = tuple(
        VariantResult(
            variant=one,
            counted=sums[at].count,
            converted=counted[at].converted,
            mean=_mean(sums[at], is_money),
        )
        for at, one in enumerate(variants)
    )
    waiting = sum(one.assigned for one in counted) - sum(one.counted for one in shown)
    unit = "money" if is_money else "percent"
    return MetricResult(place, document, metric_label(document), unit, shown, tuple(compared), waiting)


def _moments(one: Sums) -> Moments:
    return moments(count=one.count, total=one.y, squares=one.yy)


def _mean(one: Sums, is_money: bool) -> Estimate:
    if not one.count:
        return Estimate(reason="nobody")
    interval = mean_interval(_moments(one)) if is_money else wilson(one.y, one.count)
    return Estimate(one.y / one.count, *(interval or (None, None)))


def _peeked(found: Comparison, tau: float) -> Comparison:
    """The same with the p value and the interval that hold at every look. No interval of the relative lift is known to
    hold at every look, so none is told."""
    if found.error is None:
        return found
    p, difference = always_valid(difference=found.difference.value, error=found.error, tau=tau)
    return Comparison(difference, Estimate(found.lift.value, reason="peeking"), p, found.error, found.reason)


def _judged(told: Sequence[MetricResult], verdict: str) -> tuple[MetricResult, ...]:
    """With chances adjusted over everything that was asked, and verdicts where they may be given."""
    chances = iter(holm([one.p for metric in told for one in metric.compared]))
    answer = []
    for metric in told:
        compared = []
        for one in metric.compared:
            p = next(chances)
            said = ""
            if verdict == "told" and p is not None and one.comparison.difference.value is not None:
                said = "open" if p >= ALPHA else ("higher" if one.comparison.difference.value > 0 else "lower")
            compared.append(Compared(one.variant, one.comparison, p, one.explained, one.removed, said))
        answer.append(
            MetricResult(
                metric.place,
                metric.document,
                metric.label,
                metric.unit,
                metric.variants,
                tuple(compared),
                metric.waiting,
            )
        )
    return tuple(answer)


def metric_label(document: Mapping[str, Any]) -> str:
    """A metric in words."""
    days = quantity_text(document["days"], "days", None)
    if document["kind"] == "conversion":
        return _("ordered within %(days)s") % {"days": days}
    if document["kind"] == "revenue":
        return _("net revenue per customer within %(days)s") % {"days": days}
    if "segment" in document:
        return _("entered the segment %(segment)s within %(days)s") % {"segment": document["segment"], "days": days}
    goal = {"stage": document["stage"], "model": document["model"], "days": days}
    return _("reached %(stage)s (%(model)s) within %(days)s") % goal


# --- whom it counts ----------------------------------------------------------------------------------------------
def group_name(experiment: Experiment, which: str, variant: Variant | None = None, metric: int = 0) -> str:
    """The name of a group of customers. which: conflicting, or one of WHICH with a variant (and, but for assigned, the
    place of a metric)."""
    name = f"experiment:{experiment.key}:{which}"
    if variant is None:
        return name
    return f"{name}:{variant.key}" if which == "assigned" else f"{name}:{variant.key}:{metric}"


def refuse_unknown_group(group: str) -> None:
    """QuestionError names the field `group` when there is no such group."""
    _parsed(group)


def said(group: str) -> str:
    """What the customers of a group have in common, as the end of "12 customers ..."."""
    experiment, which, variant, metric = _parsed(group)
    if variant is None:
        return _("in two variants of the experiment %(name)s") % {"name": experiment.name}
    told = {"variant": variant.key, "name": experiment.name, "metric": metric_label(experiment.metrics[metric])}
    if which == "assigned":
        return _("assigned to %(variant)s in the experiment %(name)s") % told
    if which == "counted":
        return _("assigned to %(variant)s in the experiment %(name)s and counted (%(metric)s)") % told
    return _("assigned to %(variant)s in the experiment %(name)s who did it (%(metric)s)") % told


def customers_of(*, as_of: datetime, group: str) -> list[int]:
    """The ids of the customers of a group, in order."""
    experiment, which, variant, metric = _parsed(group)
    until = reach(experiment, as_of)
    return listed(
        experiment=experiment,
        document=experiment.metrics[metric],
        until=until,
        group=which,
        variant=variant.pk if variant else None,
    )


def _parsed(group: str) -> tuple[Experiment, str, Variant | None, int]:
    unknown = QuestionError("group", _("There is no group “%(group)s”.") % {"group": group[:60]})
    _word, key, which, *rest = [*group.split(":"), "", "", ""][:5]
    places = group.count(":") - 2
    experiment = Experiment.objects.filter(key=key).first()
    if experiment is None or (which == "conflicting") != (places == 0):
        raise unknown
    if which == "conflicting":
        return experiment, which, None, 0
    variant = experiment.variants.filter(key=rest[0]).first()
    metric = rest[1] or "0"
    if which not in WHICH or variant is None or places != (1 if which == "assigned" else 2):
        raise unknown
    if not (metric.isascii() and metric.isdigit() and len(metric) < 3 and int(metric) < len(experiment.metrics)):
        raise unknown
    return experiment, which, variant, int(metric)

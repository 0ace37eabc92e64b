"""What it cost to win customers: by channel, by month of the first order, and when they had paid it back; and which
channels every order is credited to.

Everything is read from kept sums and from spend, in a fixed number of queries. Only customers who ordered for the first
time count as won. Spend on media is divided by the customers that an attribution model credits its channels with
(paid); all spend by all of them (blended). Spend is not recorded per customer, so within a segment whatever rests on it
is not told. What is n/a says why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
from django.utils.translation import gettext as _

from clm.lib.periods import local_day
from clm.lib.questions import QuestionError
from clm.lib.templatetags.times import plain_date
from customers.models import Channel, Installation

from .acquisition_asked import Asked
from .attributed import Credit, Credited, Days, buyers, credited
from .attribution.channels import UNPAID
from .attribution.credits import WHOLE
from .attribution.declared import MODELS
from .attribution.draws import LEAST_CUSTOMERS, interval
from .beginning import beginning, unrecorded
from .brought import Brought, Drawn, brought_by_all, brought_within
from .costs import Ratio, Spent, cost, credited_to_paid, months_before, spent_on_channels
from .every_order import Orders, every_order
from .scope import Scope
from .sources import SourceRef, sources_used
from .value import arithmetic

COHORTS = 13  # months, the present one included


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One channel over the period. key "": customers without a touch within the window. touched: customers with the
    channel in their path; paid, blended: cost per credited customer on media spend and on all spend of the channel;
    marginal: of what more was spent than in the period compared with, per customer more; worth: what a credited
    customer brought so far (margin, or revenue while none is set), ltv_to_cac: that by `blended`."""

    key: str
    credit: Credit
    touched: int
    spent: Spent
    paid: Ratio
    blended: Ratio
    marginal: Ratio
    worth: Ratio
    ltv_to_cac: Ratio
    is_sparse: bool = False
    by_model: Mapping[str, Fraction] | None = None


@dataclass(frozen=True, slots=True)
class CohortRow:
    """Those who first ordered in a month. is_over: nobody can join it any more; from_paid: millionths of customers
    credited to channels with media spend in that month; worth: what one brought so far; curve: the same at the end of
    each month from the first on, and whether that month is over; payback: the first month, counted from 0, in which it
    reached the blended cost."""

    start: date
    until: date
    is_over: bool
    customers: int
    spent: Spent
    from_paid: int
    paid: Ratio
    blended: Ratio
    worth: Ratio
    ltv_to_cac: Ratio
    cac_to_ltv: Ratio
    curve: tuple[tuple[Fraction, bool], ...]
    payback: int | None

    @property
    def month(self) -> int:
        """Counted from the year 0."""
        return self.start.year * 12 + self.start.month - 1


@dataclass(frozen=True, slots=True)
class Pooled:
    """The cohorts together that begin after records do: in the month in which records begin, and before it, customers
    look new who are not. curve: what one customer brought by the end of each month: what cohorts brought in it over
    their customers, of those cohorts for which that month is over, added up. first: the first cohort of them, None
    where there is none; begin: the day on which records begin, where cohorts were left out for it."""

    first: date | None
    begin: date | None
    customers: int
    spent: Spent
    blended: Ratio
    worth: Ratio
    ltv_to_cac: Ratio
    cac_to_ltv: Ratio
    curve: tuple[Fraction, ...]
    payback: int | None


@dataclass(frozen=True, slots=True)
class Acquisition:
    """All that is told of one question. customers: who ordered for the first time in the period; from_paid: the credit
    of channels with media spend, in millionths; orders: what every order is credited to, where that is asked;
    without_spend: why nothing that rests on spend is told, "" where it is."""

    scope: Scope
    asked: Asked
    basis: str
    customers: int
    total: Credit
    spent: Spent
    from_paid: int
    paid: Ratio
    blended: Ratio
    marginal: Ratio
    channels: tuple[ChannelRow, ...]
    unallocated: Credit
    cohorts: tuple[CohortRow, ...]
    pooled: Pooled
    sources: tuple[SourceRef, ...]
    installation: Installation
    orders: Orders | None = None
    without_spend: str = ""

    @property
    def paid_channels(self) -> tuple[str, ...]:
        """What counts as paid: the channels with media spend in the period."""
        return tuple(row.key for row in self.channels if row.spent.paid > 0)

    @property
    def unpaid_with_media(self) -> tuple[ChannelRow, ...]:
        """Channels with media spend that nobody pays for by the click or the view, to which customers are credited:
        these customers make paid cost look lower than that of the ads."""
        return tuple(
            row for row in self.channels if row.spent.paid > 0 and row.key in UNPAID and row.credit.conversions > 0
        )

    @property
    def media_without_customers(self) -> tuple[ChannelRow, ...]:
        """Channels with media spend to which no customer is credited: their spend is borne by the customers of
        others."""
        return tuple(row for row in self.channels if row.spent.paid > 0 and row.credit.conversions <= 0)


def acquisition(*, scope: Scope, asked: Asked) -> Acquisition:
    """Answer one question; of the scope the period counts, and what it is compared with. QuestionError where the period
    is not of whole days."""
    if not scope.period.is_whole_days:
        raise QuestionError("from", _("Costs of acquisition are told of whole days. Ask from one day until another."))
    installation = Installation.current()
    before = scope.compared_with()
    today = local_day(scope.as_of, scope.period.zone)
    earlier: list[Days] = []
    if before is not None:
        # As far into that period as this one has come.
        elapsed = min(today + timedelta(days=1), scope.period.until) - scope.period.start
        until = before.period.until if scope.is_over else min(before.period.until, before.period.start + elapsed)
        earlier.append((before.period.start, until))
    asked_about, months = (scope.period.start, scope.period.until), _months(today)
    keys = dict(Channel.objects.values_list("pk", "key"))
    since = beginning(scope=scope)
    first = replace(asked.attribution, goal="first")
    chosen = first.model
    # Every model is told of the period alone; of others the chosen one, which is a fraction of the rows.
    (now,) = credited(scope=scope, windows=[asked_about], attribution=first, models=list(MODELS))
    others = [
        one[chosen] for one in credited(scope=scope, windows=[*earlier, *months], attribution=first, models=[chosen])
    ]
    then = others[0] if earlier else None
    monthly = others[len(earlier) :]
    without_spend = ""
    if scope.segment is None:
        spent, brought = spent_on_channels([asked_about, *earlier, *months], asked.lag), brought_by_all(months)
    else:
        spent, brought = [{} for _window in [asked_about, *earlier, *months]], brought_within(scope, months)
        without_spend = _("Spend is not recorded per customer, so it cannot be told for a segment.")
    margin = installation.margin_percent
    percent = None if margin is None else Fraction(margin)
    orders = None
    if asked.attribution.goal == "every":
        (every,) = credited(scope=scope, windows=[asked_about], attribution=asked.attribution, models=list(MODELS))
        (bought,) = buyers(scope=scope, windows=[asked_about])
        orders = every_order(every, chosen, bought, keys, spent[0], without_spend)
    found = _answer(
        scope=scope,
        asked=asked,
        installation=installation,
        percent=percent,
        keys=keys,
        now=now,
        before=then,
        spent=(spent[0], spent[1] if earlier else {}),
        begin=None if before is None else unrecorded(scope=before, since=since),
        cohorts=_cohorts(
            months, monthly, spent[1 + len(earlier) :], brought, percent, today, since.first if since else None
        ),
    )
    found = replace(found, orders=orders)
    return _without_spend(found, without_spend) if without_spend else found


def _without_spend(found: Acquisition, why: str) -> Acquisition:
    """The same with whatever rests on spend n/a for this reason."""
    none = Ratio(None, why)
    return replace(
        found,
        without_spend=why,
        paid=none,
        blended=none,
        marginal=none,
        channels=tuple(replace(row, paid=none, blended=none, marginal=none, ltv_to_cac=none) for row in found.channels),
        cohorts=tuple(
            replace(row, paid=none, blended=none, ltv_to_cac=none, cac_to_ltv=none, payback=None)
            for row in found.cohorts
        ),
        pooled=replace(found.pooled, blended=none, ltv_to_cac=none, cac_to_ltv=none, payback=None),
    )


def _answer(
    *,
    scope: Scope,
    asked: Asked,
    installation: Installation,
    percent: Fraction | None,
    keys: Mapping[int, str],
    now: Mapping[str, Credited],
    before: Credited | None,
    spent: tuple[Mapping[int, Spent], Mapping[int, Spent]],
    begin: date | None,
    cohorts: tuple[tuple["CohortRow", ...], "Pooled"],
) -> Acquisition:
    chosen = now[asked.attribution.model]
    whole, earlier = sum(spent[0].values(), Spent()), sum(spent[1].values(), Spent())
    total = chosen.total
    from_paid = credited_to_paid(chosen, spent[0])
    told = {channel for one in now.values() for channel in one.channels} | set(spent[0])
    rows = [
        _channel(channel, keys.get(channel, ""), now, before, asked, spent, begin, percent)
        for channel in sorted(told, key=lambda channel: (-chosen.channels.get(channel, Credit()).conversions, channel))
    ]
    return Acquisition(
        scope=scope,
        asked=asked,
        basis="revenue" if percent is None else "margin",
        customers=total.customers,
        total=total,
        spent=whole,
        from_paid=from_paid,
        paid=cost(whole.paid, from_paid, paid=True),
        blended=cost(whole.blended, total.conversions, paid=False),
        marginal=_marginal(whole.blended, earlier.blended, total, None if before is None else before.total, begin),
        channels=tuple(rows),
        unallocated=chosen.unallocated,
        cohorts=cohorts[0],
        pooled=cohorts[1],
        sources=sources_used(kept=scope.kept),
        installation=installation,
    )


def _channel(
    channel: int,
    key: str,
    now: Mapping[str, Credited],
    before: Credited | None,
    asked: Asked,
    spent: tuple[Mapping[int, Spent], Mapping[int, Spent]],
    begin: date | None,
    percent: Fraction | None,
) -> ChannelRow:
    chosen = now[asked.attribution.model]
    credit, its = chosen.channels.get(channel, Credit()), spent[0].get(channel, Spent())
    earlier = None if before is None else before.channels.get(channel, Credit())
    blended, worth = cost(its.blended, credit.conversions, paid=False), _worth(credit, percent)
    return ChannelRow(
        key=key,
        credit=credit,
        touched=chosen.touched.get(channel, 0),
        spent=its,
        paid=cost(its.paid, credit.conversions, paid=True),
        blended=blended,
        marginal=_marginal(its.blended, spent[1].get(channel, Spent()).blended, credit, earlier, begin),
        worth=worth,
        ltv_to_cac=_by(worth, blended),
        is_sparse=chosen.is_sparse(channel),
        by_model={model: one.channels.get(channel, Credit()).credited for model, one in now.items()},
    )


# --- quotients -----------------------------------------------------------------------------------------------------
def _marginal(spent: int, earlier: int, credit: Credit, before: Credit | None, begin: date | None) -> Ratio:
    """What one customer more cost than in the period compared with. begin: the day on which records begin, where that
    period reaches beyond it."""
    if before is None:
        return Ratio(None, _("Compared with nothing."))
    if begin is not None:
        return Ratio(None, _("Records begin on %(first)s.") % {"first": plain_date(begin)})
    more, more_spent = credit.conversions - before.conversions, spent - earlier
    if more <= 0:
        return Ratio(None, _("No more customers than in the period compared with."))
    if more_spent <= 0:
        return Ratio(None, _("No more was spent than in the period compared with."))
    return Ratio(Fraction(more_spent * WHOLE, more))


def _worth(credit: Credit, percent: Fraction | None) -> Ratio:
    """What one credited customer brought so far."""
    if credit.conversions <= 0:
        return Ratio(None, _("No customer is credited to it."))
    return Ratio(arithmetic.margin(Fraction(credit.value * WHOLE, credit.conversions), percent))


def _by(one: Ratio, other: Ratio) -> Ratio:
    """One by the other, with the interval of the first."""
    if one.number is None or other.number is None:
        return Ratio(None, one.note or other.note)
    scale = float(1 / other.number)
    low, high = (None if end is None else end * scale for end in (one.low, one.high))
    return Ratio(one.number / other.number, "", low, high)


def _turned(ratio: Ratio) -> Ratio:
    """One by it, with its interval turned; n/a where it is not above zero."""
    if ratio.number is None:
        return ratio
    if ratio.number <= 0:
        return Ratio(None, _("The value so far is not above zero."))
    low, high = (1 / end if end is not None and end > 0 else None for end in (ratio.high, ratio.low))
    return Ratio(1 / ratio.number, "", low, high if low is not None else None)


# --- cohorts -------------------------------------------------------------------------------------------------------
def _months(today: date) -> list[Days]:
    """The months of the cohorts, oldest first; the last one is that of today."""
    present = date(today.year, today.month, 1)
    starts = [months_before(present, back) for back in range(COHORTS - 1, -1, -1)]
    return list(zip(starts, [*starts[1:], months_before(present, -1)], strict=True))


def _cohorts(
    months: Sequence[Days],
    monthly: Sequence[Credited],
    spent: Sequence[Mapping[int, Spent]],
    kept: Brought,
    percent: Fraction | None,
    today: date,
    begin: date | None,
) -> tuple[tuple[CohortRow, ...], Pooled]:
    numbers = [start.year * 12 + start.month - 1 for start, _until in months]
    brought, draws = kept.months, kept.draws
    rows = []
    for (start, until), number, found, its in zip(months, numbers, monthly, spent, strict=True):
        whole, draw = sum(its.values(), Spent()), draws.get(number)
        customers = draw.customers if draw is not None else 0
        blended = cost(whole.blended, customers * WHOLE, paid=False)
        worth = _cohort_worth([draw] if draw is not None else [], percent)
        curve = _curve(brought[number], customers, percent, (numbers[-1] - number) + 1, until, today)
        ratio = _by(worth, blended)
        rows.append(
            CohortRow(
                start=start,
                until=until,
                is_over=until <= today,
                customers=customers,
                spent=whole,
                from_paid=credited_to_paid(found, its),
                paid=cost(whole.paid, credited_to_paid(found, its), paid=True),
                blended=blended,
                worth=worth,
                ltv_to_cac=ratio,
                cac_to_ltv=_turned(ratio),
                curve=curve,
                payback=_payback([reached for reached, _is_over in curve], blended),
            )
        )
    # Nobody knows who had bought before the first recorded day.
    whole_ones = [one for one in rows if begin is None or one.start > begin]
    theirs = [draws[one.month] for one in whole_ones if one.month in draws]
    return tuple(rows), _pooled(whole_ones, brought, theirs, percent, begin if len(whole_ones) < len(rows) else None)


def _curve(
    brought: Mapping[int, int], customers: int, percent: Fraction | None, count: int, until: date, today: date
) -> tuple[tuple[Fraction, bool], ...]:
    """What one customer brought by the end of each month, and whether that month is over."""
    if not customers:
        return ()
    sums, reached = [], 0
    for later in range(count):
        reached += brought.get(later, 0)
        sums.append((arithmetic.margin(Fraction(reached, customers), percent), months_before(until, -later) <= today))
    return tuple(sums)


def _payback(curve: Sequence[Fraction], cost: Ratio) -> int | None:
    """The first month in which what one customer brought reached the cost, counted from 0; None: not yet."""
    if cost.number is None:
        return None
    return next((later for later, reached in enumerate(curve) if reached >= cost.number), None)


def _cohort_worth(draws: Sequence[Drawn], percent: Fraction | None) -> Ratio:
    """What one customer of some cohorts brought so far, with the interval of drawing customers again."""
    customers, value = sum(one.customers for one in draws), sum(one.value for one in draws)
    if not customers:
        return Ratio(None, _("Nobody ordered for the first time."))
    drawn = [np.sum([getattr(one, name) for one in draws], axis=0) for name in ("drawn_customers", "drawn_value")]
    ends = interval(*drawn)
    scale = 1.0 if percent is None else float(percent) / 100
    low, high = (None, None) if ends is None or customers < LEAST_CUSTOMERS else (ends[0] * scale, ends[1] * scale)
    return Ratio(arithmetic.margin(Fraction(value, customers), percent), "", low, high)


def _pooled(
    rows: Sequence[CohortRow],
    brought: Mapping[int, Mapping[int, int]],
    draws: Sequence[Drawn],
    percent: Fraction | None,
    begin: date | None,
) -> Pooled:
    customers, spent = sum(one.customers for one in rows), sum((one.spent for one in rows), Spent())
    blended, worth = cost(spent.blended, customers * WHOLE, paid=False), _cohort_worth(draws, percent)
    curve, reached = [], Fraction(0)
    for later in range(COHORTS):
        mature = [one for one in rows if len(one.curve) > later and one.curve[later][1]]
        size = sum(one.customers for one in mature)
        if not size:
            break
        reached += arithmetic.margin(Fraction(sum(brought[one.month].get(later, 0) for one in mature), size), percent)
        curve.append(reached)
    ratio = _by(worth, blended)
    return Pooled(
        first=rows[0].start if rows else None,
        begin=begin,
        customers=customers,
        spent=spent,
        blended=blended,
        worth=worth,
        ltv_to_cac=ratio,
        cac_to_ltv=_turned(ratio),
        curve=tuple(curve),
        payback=_payback(curve, blended),
    )

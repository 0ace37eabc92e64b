"""What the figures are made of, and how each is made: from retention, sales and spend of one scope to a number with the
counts behind it. What a figure means and is called stands in `metrics`."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_lazy as _

from clm.lib.periods import day_start
from clm.lib.questions import QuestionError
from clm.lib.templatetags.times import plain_date
from customers.models import Installation

from .attribution.declared import MODELS
from .beginning import Beginning, beginning
from .figures import CountRow
from .paid_customers import ATTRIBUTION, Won, won_by_paid
from .retention import Retention, retention
from .revenue_kept import RevenueKept, revenue_kept
from .sales import Sales, sales
from .scope import Scope
from .spending import Spending, spending
from .value import arithmetic as value


@dataclass(frozen=True, slots=True)
class Answer:
    """A figure's number before it is dressed; `note` says why `number` is None, or what to know beside it."""

    number: Fraction | int | None
    counts: tuple[CountRow, ...] = ()
    note: Any = ""
    interval: tuple[float, float] | None = None
    group: str = ""  # the customers behind it


class Measured:
    """What a scope's figures are made of, each read at most once."""

    def __init__(
        self, *, scope: Scope, basis: str = "blended", retention: Retention | None = None, sales: Sales | None = None
    ) -> None:
        """retention, sales: of this scope, where the caller has read them together with others."""
        if scope.as_of < scope.period.start_at:
            said = _("Nothing is known of a period after the instant asked about. Choose an earlier period.")
            raise QuestionError("as_of", str(said))
        self.scope = scope
        self.basis = basis
        self._retention, self._sales = retention, sales

    @cached_property
    def installation(self) -> Installation:
        return Installation.current()

    @cached_property
    def retention(self) -> Retention:
        return self._retention or retention(scope=self.scope)

    @cached_property
    def sales(self) -> Sales:
        return self._sales or sales(scope=self.scope)

    @cached_property
    def revenue_kept(self) -> RevenueKept:
        return revenue_kept(scope=self.scope, since=self.beginning)

    @cached_property
    def beginning(self) -> Beginning | None:
        return beginning(scope=self.scope)

    @cached_property
    def spending(self) -> Spending:
        return spending(scope=self.scope)

    @cached_property
    def aov(self) -> Fraction | None:
        return value.per(self.sales.revenue, self.sales.orders)

    @cached_property
    def orders_per_customer(self) -> Fraction | None:
        return value.per(self.sales.orders, self.sales.customers)

    @cached_property
    def lifespan(self) -> Fraction | None:
        return value.lifespan(self.retention.churn)

    @cached_property
    def clv(self) -> Fraction | None:
        if self.aov is None or self.orders_per_customer is None or self.lifespan is None:
            return None
        return value.clv(aov=self.aov, orders_per_customer=self.orders_per_customer, lifespan=self.lifespan)

    @cached_property
    def spent(self) -> int:
        return self.spending.paid if self.basis == "paid" else self.spending.blended

    @cached_property
    def won(self) -> Won:
        """The customers whose winning the spend is divided by: all who paid for the first time, or those of them who
        were won through paid channels."""
        if self.basis == "paid":
            return won_by_paid(scope=self.scope)
        return Won(Fraction(self.sales.first_paying))

    @cached_property
    def cac(self) -> Fraction | None:
        if self.spent == 0 or self.scope.segment is not None or not self.won.customers:
            return None
        return self.spent / self.won.customers

    @cached_property
    def ltv(self) -> Fraction | None:
        percent = self.installation.margin_percent
        return None if self.clv is None else value.margin(self.clv, None if percent is None else Fraction(percent))

    @property
    def value_basis(self) -> str:
        return "revenue" if self.installation.margin_percent is None else "margin"


# --- how each figure is made -----------------------------------------------------------------------------------
def _count(
    measured: Measured, key: str, symbol: str, label: Any, number: Any, unit: str = "count", group: str = ""
) -> CountRow:
    query = f"group={group}&{measured.scope.query()}" if group else ""
    return CountRow(key, symbol, str(label), plain(number, unit), unit, query)


def _retention_counts(measured: Measured) -> tuple[CountRow, ...]:
    kept = measured.retention
    rows = (
        ("S", "S", _("active at the start"), kept.started, "started"),
        ("E", "E", _("active at the end"), kept.ended, "ended"),
        ("N_first", "N first", _("new: active for the first time"), kept.first, "first"),
        ("N_reactivated", "N reactivated", _("reactivated: active again"), kept.reactivated, "reactivated"),
        ("kept", "kept", _("active at the start and at the end"), kept.kept, "kept"),
        ("lost", "lost", _("active at the start, not at the end"), kept.lost, "lost"),
        ("came_and_went", "", _("came and went inside, counted in neither"), kept.came_and_went, "came_and_went"),
    )
    return tuple(
        _count(measured, key, symbol, label, number, group=group) for key, symbol, label, number, group in rows
    )


def crr(measured: Measured) -> Answer:
    kept = measured.retention
    return Answer(kept.crr, _retention_counts(measured), _retention_note(measured), kept.crr_interval, "kept")


def churn(measured: Measured) -> Answer:
    kept = measured.retention
    return Answer(kept.churn, _retention_counts(measured), _retention_note(measured), kept.churn_interval, "lost")


def churn_of_everybody(measured: Measured) -> Answer:
    kept = measured.retention
    counts = (
        _count(measured, "stopped", "", _("stopped being active in the period"), kept.stopped, group="stopped"),
        _count(measured, "lost", "lost", _("active at the start, not at the end"), kept.lost, group="lost"),
        _count(measured, "came_and_went", "", _("came and went inside"), kept.came_and_went, group="came_and_went"),
        _count(measured, "active", "", _("active at the start or from then on"), kept.active, group="active"),
    )
    note = _("Nobody was active in the period.") if not kept.active else _too_early(measured)
    return Answer(kept.stopped_share, counts, note, kept.stopped_interval, "stopped")


def _revenue_kept_counts(measured: Measured) -> tuple[CountRow, ...]:
    kept = measured.revenue_kept
    return (
        _count(measured, "before", "", _("spent in the period before"), kept.before, "money"),
        _count(measured, "spenders", "", _("customers who spent it"), kept.spenders, group="spenders"),
        _count(measured, "held", "", _("of that, spent again"), kept.held, "money"),
        _count(measured, "lost_money", "", _("lost: by those who spent nothing now"), kept.lost, "money"),
        _count(measured, "spent_nothing", "", _("who spent nothing now"), kept.spent_nothing, group="spent_nothing"),
        _count(measured, "shrunk", "", _("shrunk: by those who spent less"), kept.shrunk, "money"),
        _count(measured, "spent_less", "", _("who spent less"), kept.spent_less, group="spent_less"),
        _count(measured, "grown", "", _("grown: by those who spent more"), kept.grown, "money"),
        _count(measured, "spent_more", "", _("who spent more"), kept.spent_more, group="spent_more"),
        _count(measured, "spent_as_much", "", _("who spent as much"), kept.spent_as_much, group="spent_as_much"),
        _count(measured, "now", "", _("spent by the same customers now"), kept.now, "money"),
    )


def _revenue_kept_note(measured: Measured) -> Any:
    kept, asked = measured.revenue_kept, measured.scope.period
    told = kept.scope.period
    if not kept.before:
        return _("Nobody spent anything in the period before.")
    if kept.begin is not None:
        said = _("Records begin on %(first)s, so not all of the period before is recorded.")
        return said % {"first": plain_date(kept.begin)}
    if told == asked:
        return ""
    said = _("Of the whole days from %(first)s until %(last)s, against as many before them: today is not over.")
    return said % {"first": plain_date(told.start), "last": plain_date(told.last_day)}


def gross_revenue_retention(measured: Measured) -> Answer:
    counts, note = _revenue_kept_counts(measured), _revenue_kept_note(measured)
    return Answer(measured.revenue_kept.gross, counts, note, group="spenders")


def net_revenue_retention(measured: Measured) -> Answer:
    counts, note = _revenue_kept_counts(measured), _revenue_kept_note(measured)
    return Answer(measured.revenue_kept.net, counts, note, group="spenders")


def _nobody_started(kept: Retention) -> Any:
    return "" if kept.started else _("Nobody was active when the period started.")


def _retention_note(measured: Measured) -> Any:
    return _nobody_started(measured.retention) or _too_early(measured)


def _too_early(measured: Measured) -> Any:
    """Within a lapse window of the beginning of all records, nobody can be lost by time alone."""
    since, scope = measured.beginning, measured.scope
    if since is None or not since.lapse_days:
        return ""
    settled = day_start(since.settled, scope.period.zone)
    if scope.period.start_at >= settled:
        return ""
    told = {"first": plain_date(since.first), "settled": plain_date(since.settled), "days": since.lapse_days}
    if scope.until_at <= settled:
        said = _(
            "Nobody can have lapsed yet: records begin on %(first)s, and a customer lapses %(days)s days after the "
            "last touchpoint that counts, on %(settled)s at the earliest."
        )
    else:
        said = _(
            "Before %(settled)s nobody could lapse: records begin on %(first)s, and a customer lapses %(days)s days "
            "after the last touchpoint that counts. So fewer were lost than in a later period."
        )
    return said % told


def active(measured: Measured) -> Answer:
    return Answer(measured.retention.ended, _retention_counts(measured), group="ended")


def _sales_counts(measured: Measured) -> tuple[CountRow, ...]:
    sold = measured.sales
    return (
        _count(measured, "orders", "", _("orders"), sold.orders),
        _count(measured, "buyers", "", _("customers who ordered"), sold.buyers, group="buyers"),
        _count(measured, "bought", "", _("ordered"), sold.bought, "money"),
        _count(measured, "refunded", "", _("refunded"), sold.refunded, "money"),
        _count(measured, "revenue", "", _("net revenue"), sold.revenue, "money"),
        _count(measured, "unpriced", "", _("purchases without an amount, left out"), sold.unpriced),
    )


def revenue(measured: Measured) -> Answer:
    return Answer(measured.sales.revenue, _sales_counts(measured), group="buyers")


def aov(measured: Measured) -> Answer:
    note = "" if measured.sales.orders else _("There was no order in the period.")
    return Answer(measured.aov, _sales_counts(measured), note, group="buyers")


def _customers_count(measured: Measured) -> CountRow:
    label = _("customers active in the period or with an order in it")
    return _count(measured, "customers", "", label, measured.sales.customers, group="customers")


def orders_per_customer(measured: Measured) -> Answer:
    counts = (_count(measured, "orders", "", _("orders"), measured.sales.orders), _customers_count(measured))
    note = "" if measured.sales.customers else _("Nobody was active in the period.")
    return Answer(measured.orders_per_customer, counts, note, group="customers")


def clv(measured: Measured) -> Answer:
    counts = (
        _count(measured, "aov", "", _("average order value"), measured.aov, "money"),
        _count(measured, "orders_per_customer", "", _("orders per customer"), measured.orders_per_customer, "ratio"),
        _count(measured, "lifespan", "", _("lifespan in periods, 1 / churn"), measured.lifespan, "ratio"),
        _count(measured, "churn", "", _("churn of the period"), measured.retention.churn, "percent"),
        _count(measured, "orders", "", _("orders"), measured.sales.orders),
        _customers_count(measured),
        _count(measured, "S", "S", _("active at the start"), measured.retention.started, group="started"),
        _count(
            measured, "lost", "lost", _("active at the start, not at the end"), measured.retention.lost, group="lost"
        ),
    )
    return Answer(measured.clv, counts, _no_clv(measured), group="customers")


def _no_clv(measured: Measured) -> Any:
    if not measured.retention.started:
        return _nobody_started(measured.retention)
    if not measured.retention.lost:
        nobody = _("Nobody was lost: at churn 0 a lifespan of 1 / churn means nothing.")
        return " ".join(filter(None, (str(nobody), str(_too_early(measured)))))
    if not measured.sales.orders:
        return _("There was no order in the period.")
    return " ".join(filter(None, (str(_("Constant-churn approximation.")), str(_too_early(measured)))))


def _cac_counts(measured: Measured) -> tuple[CountRow, ...]:
    if measured.basis == "paid":
        of = {"model": MODELS[ATTRIBUTION.model].name, "days": ATTRIBUTION.window}
        credited = _("of them credited to channels with spend on media (%(model)s, %(days)s days)") % of
        # Whoever is behind it is not told where nobody knows how many.
        won = measured.won.customers if measured.scope.segment is None else None
        theirs = "won_by_paid" if won is not None else ""
        return (
            _count(measured, "spend", "", _("spend on media in the period"), measured.spent, "money"),
            _first_paying(measured),
            _count(measured, "won_by_paid", "", credited, won, group=theirs),
        )
    return (_count(measured, "spend", "", _("spend in the period"), measured.spent, "money"), _first_paying(measured))


def _first_paying(measured: Measured) -> CountRow:
    label = _("customers who paid for the first time")
    return _count(measured, "first_paying", "", label, measured.sales.first_paying, group="first_paying")


def _won(measured: Measured) -> str:
    """The group of customers behind a cost."""
    return "won_by_paid" if measured.basis == "paid" else "first_paying"


def cac(measured: Measured) -> Answer:
    return Answer(measured.cac, _cac_counts(measured), _no_cac(measured), group=_won(measured))


def _no_cac(measured: Measured) -> Any:
    if measured.scope.segment is not None:
        return _("Spend is not recorded per customer, so it cannot be told for a segment.")
    if measured.spent == 0:
        if measured.basis == "paid" and measured.spending.rows:
            return _("No spend on media is entered for the period.")
        return _("No spend is entered for the period.")
    if not measured.sales.first_paying:
        return _("Nobody paid for the first time in the period.")
    if not measured.won.customers:
        return measured.won.why or _("Nobody who paid for the first time is credited to a channel with spend on media.")
    return _made_up(measured)


def _made_up(measured: Measured) -> Any:
    return _("The spend is made up for the demonstration.") if measured.spending.made_up else ""


def _ratio_counts(measured: Measured) -> tuple[CountRow, ...]:
    label = _("lifetime margin") if measured.value_basis == "margin" else _("lifetime revenue")
    return (
        _count(measured, "ltv", "", label, measured.ltv, "money"),
        _count(measured, "cac", "", _("cost of acquiring a customer"), measured.cac, "money"),
        *_cac_counts(measured),
    )


def _no_ratio(measured: Measured) -> Any:
    if measured.cac is None:
        return _no_cac(measured)
    if measured.clv is None:
        return _no_clv(measured)
    basis: Any = _("Revenue basis: no margin is set.")
    if measured.value_basis == "margin":
        basis = _("Margin basis: %(percent)s %% of revenue.") % {"percent": measured.installation.margin_percent}
    return " ".join(filter(None, (str(basis), str(_made_up(measured)))))


def ltv_to_cac(measured: Measured) -> Answer:
    ratio = measured.ltv / measured.cac if measured.ltv is not None and measured.cac else None
    note = _no_ratio(measured)
    return Answer(ratio, _ratio_counts(measured), note, group=_won(measured))


def cac_to_ltv(measured: Measured) -> Answer:
    if measured.ltv is not None and measured.cac and measured.ltv <= 0:
        return Answer(None, _ratio_counts(measured), _("The lifetime value is not above zero."), group=_won(measured))
    ratio = measured.cac / measured.ltv if measured.ltv and measured.cac else None
    return Answer(ratio, _ratio_counts(measured), _no_ratio(measured), group=_won(measured))


def plain(number: Fraction | int | None, unit: str) -> int | float | None:
    """Whole minor units and counts as int, everything else as the nearest float."""
    if number is None:
        return None
    return round(number) if unit in ("money", "count") else float(number)

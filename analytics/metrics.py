"""The figures of retention and value by name: what each means. A figure is declared here once; pages and the API print
what this module answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from clm.lib.questions import NotThereError, QuestionError

from . import measured as made
from .days.identities import broken_of
from .figures import Figure, FigureGroup
from .measured import Answer, Measured, plain
from .revisions import Revised
from .scope import Scope
from .sorting import active_customers
from .sources import SourceRef, sources_of_orders

# What costs are on, the first being the default.
BASIS_NAMES: dict[str, Any] = {
    "blended": _("All spend, all new customers"),
    "paid": _("Paid media, customers won by it"),
}
BASES = tuple(BASIS_NAMES)
MONEY_KEPT = ("gross_revenue_retention", "net_revenue_retention")  # retention of money, not of active customers


@dataclass(frozen=True, slots=True)
class Metric:
    """A declared figure. takes_basis: whether it can be on all spend and all customers (blended), or on spend on media
    and the customers won through it (paid); rests_on_active: whether it is
    made of who is an active customer."""

    key: str
    name: Any
    group: Any
    unit: str
    definition: Any
    formula: str
    answer: Callable[[Measured], Answer]
    takes_basis: bool = False

    @property
    def rests_on_active(self) -> bool:
        if self.key in MONEY_KEPT:
            return False
        return self.group == RETENTION or self.key in ("orders_per_customer", "clv", "cac_to_ltv", "ltv_to_cac")


RETENTION, VALUE, COST = _("Retention"), _("Value"), _("Cost")
METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            "active_customers",
            _("Active customers"),
            RETENTION,
            "count",
            _('Customers in the segment "Active customer" one millisecond before the period ends.'),
            "E",
            made.active,
        ),
        Metric(
            "crr",
            _("Customer retention rate"),
            RETENTION,
            "percent",
            _(
                "Of the customers active when the period starts, the share still or again active when it ends, both "
                'taken one millisecond before. Active means being in the segment "Active customer". N counts first-time'
                " and reactivated customers alike, so E = kept + new + reactivated."
            ),
            "(E - N) / S = kept / S, N = N first + N reactivated",
            made.crr,
        ),
        Metric(
            "churn",
            _("Churn"),
            RETENTION,
            "percent",
            _(
                "Of the customers active when the period starts, the share no longer active when it ends: 100 % minus "
                "the retention rate. Customers who came and went inside the period are in neither."
            ),
            "lost / S",
            made.churn,
        ),
        Metric(
            "churn_of_everybody",
            _("Churn as Stripe counts it"),
            RETENTION,
            "percent",
            _(
                "Of the customers active when the period starts or from then on, the share no longer active when it "
                "ends. Whoever came and went inside the period is in both, so it differs from churn where many do."
            ),
            "(lost + came and went) / (S + N first + N reactivated + came and went)",
            made.churn_of_everybody,
        ),
        Metric(
            "gross_revenue_retention",
            _("Gross revenue retention"),
            RETENTION,
            "percent",
            _(
                "Of what customers spent in the period before, the share that the same customers spend in this one, "
                "nobody counted with more than before: what was lost and what shrank, without growth. Spend is net of "
                "refunds at their own date; a net refund counts as nothing."
            ),
            "sum of min(before, now) / sum of before",
            made.gross_revenue_retention,
        ),
        Metric(
            "net_revenue_retention",
            _("Net revenue retention"),
            RETENTION,
            "percent",
            _(
                "What those who spent something in the period before spend in this one, divided by what they spent "
                "then. Growth counts, so it may be above 100 %; new customers are in neither."
            ),
            "sum of now / sum of before, of the same customers",
            made.net_revenue_retention,
        ),
        Metric(
            "revenue",
            _("Net revenue"),
            VALUE,
            "money",
            _(
                "Amounts of all purchases of the period less the refunds of the period; a refund counts at its own "
                "date, whenever its order was placed (accounting view)."
            ),
            "ordered - refunded",
            made.revenue,
        ),
        Metric(
            "aov",
            _("Average order value"),
            VALUE,
            "money",
            _(
                "Net revenue of the period divided by its orders. An order is a purchase with an amount above zero; a "
                "refund counts at its own date (accounting view)."
            ),
            "net revenue / orders",
            made.aov,
        ),
        Metric(
            "orders_per_customer",
            _("Orders per customer"),
            VALUE,
            "orders",
            _(
                "Orders of the period divided by the customers who were active at some instant of it or ordered in it; "
                "customers who were active without ordering count too."
            ),
            "orders / customers",
            made.orders_per_customer,
        ),
        Metric(
            "clv",
            _("Customer lifetime value"),
            VALUE,
            "money",
            _(
                "Average order value x orders per customer and period x lifespan in periods, in revenue. The lifespan "
                "is 1 / churn, the constant-churn approximation: this period's churn, for everyone and for ever."
            ),
            "AOV x orders per customer x 1 / churn",
            made.clv,
        ),
        Metric(
            "cac",
            _("Customer acquisition cost"),
            COST,
            "money",
            _(
                "What it cost to win a customer whose first order ever lies in the period, from the spend entered for "
                "its days. Blended: all spend divided by all of them. Paid: variable spend on media divided by those "
                "of them who are credited to channels with such spend (last non-direct touch within 30 days), as on "
                "the page Acquisition."
            ),
            "all spend / first-time paying customers; spend on media / those credited to paid channels",
            made.cac,
            takes_basis=True,
        ),
        Metric(
            "cac_to_ltv",
            _("CAC : LTV"),
            COST,
            "ratio",
            _(
                "Customer acquisition cost divided by customer lifetime value: the part of what a customer brings that "
                "winning it costs. The value is in revenue while no gross margin is set, in margin otherwise."
            ),
            "CAC / LTV",
            made.cac_to_ltv,
            takes_basis=True,
        ),
        Metric(
            "ltv_to_cac",
            _("LTV : CAC"),
            COST,
            "ratio",
            _(
                "Customer lifetime value divided by customer acquisition cost. The value is in revenue while no gross "
                "margin is set, in margin otherwise."
            ),
            "LTV / CAC",
            made.ltv_to_cac,
            takes_basis=True,
        ),
    )
}


def metric(key: str) -> Metric:
    """The declared figure of that name; NotThereError when there is none."""
    if key not in METRICS:
        raise NotThereError(f'there is no metric "{key[:60]}"')
    return METRICS[key]


def figures(
    *, scope: Scope, keys: Sequence[str] | None = None, basis: str = "blended", measured: Measured | None = None
) -> list[Figure]:
    """The figures of those names (None: all), answered for one scope from the same few queries. measured: what they are
    made of, where the caller has read it already."""
    if basis not in BASES:
        said = _("There is no such basis. Choose one of %(known)s.") % {"known": ", ".join(BASES)}
        raise QuestionError("basis", str(said))
    measured = measured or Measured(scope=scope, basis=basis)
    used, revised = sources_of_orders(kept=scope.kept), Revised(measured=measured)
    active = active_customers() if scope.kept is not None else None
    broken = next(iter(broken_of(versions=[active.version]).values()), ()) if active else ()
    return [_figure(metric(key), measured, used, revised, broken) for key in (METRICS if keys is None else keys)]


def metric_groups(*, scope: Scope, basis: str = "blended") -> tuple[FigureGroup, ...]:
    """All figures in the groups of the metrics page."""
    found = figures(scope=scope, basis=basis)
    return tuple(
        FigureGroup(str(title), tuple(one for one in found if METRICS[one.key].group == title))
        for title in (RETENTION, VALUE, COST)
    )


def _lines_note(declared: Metric, scope: Scope) -> str:
    if not scope.products_only or (declared.group == RETENTION and declared.key not in MONEY_KEPT):
        return ""
    return str(_("Without order lines that are not products, such as postage."))


def _figure(
    declared: Metric, measured: Measured, used: tuple[SourceRef, ...], revised: Revised, broken: tuple[str, ...]
) -> Figure:
    answer = declared.answer(measured)
    scope = measured.scope
    low, high = answer.interval or (None, None)
    basis = measured.basis if declared.takes_basis else ""
    query = scope.query() + (f"&basis={basis}" if basis else "")
    return Figure(
        key=declared.key,
        name=str(declared.name),
        value=plain(answer.number, declared.unit),
        unit=declared.unit,
        definition=str(declared.definition),
        formula=declared.formula,
        note=" ".join(filter(None, (str(answer.note), _lines_note(declared, scope)))),
        low=low,
        high=high,
        counts=answer.counts,
        period=scope.period,
        as_of=scope.as_of,
        segment=scope.segment.key if scope.segment else None,
        basis=basis,
        value_basis=measured.value_basis if declared.key in ("cac_to_ltv", "ltv_to_cac") else "",
        counted_until=scope.until_at,
        sources=used,
        customers_query=f"group={answer.group}&{scope.query()}" if answer.group else "",
        api=f"/api/v1/metrics/{declared.key}/?{query}",
        moved=revised.of(declared.key, declared.unit),
        broken=broken if declared.rests_on_active else (),
    )

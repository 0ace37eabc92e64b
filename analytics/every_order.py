"""Every order of a period credited to the channels of its path: conversions are orders, each with its revenue."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from .attributed import Credit, Credited
from .costs import Ratio, Spent, cost, returned


@dataclass(frozen=True, slots=True)
class OrdersRow:
    """What one channel is credited with of every order in the period. credit: conversions are millionths of orders;
    touched: orders with the channel in their path; paid, blended: cost per credited order on media spend and on all
    spend of the channel; returned: credited revenue by all its spend."""

    key: str
    credit: Credit
    touched: int
    spent: Spent
    paid: Ratio
    blended: Ratio
    returned: Ratio
    is_sparse: bool = False
    by_model: Mapping[str, Fraction] | None = None


@dataclass(frozen=True, slots=True)
class Orders:
    """Every order in the period, credited to channels. customers: who ordered; total: of all orders; returned: their
    revenue by all spend."""

    customers: int
    total: Credit
    unallocated: Credit
    blended: Ratio
    returned: Ratio
    channels: tuple[OrdersRow, ...]

    @property
    def number(self) -> int:
        """How many orders."""
        return self.total.customers


def every_order(
    found: Mapping[str, Credited],
    model: str,
    customers: int,
    keys: Mapping[int, str],
    spent: Mapping[int, Spent],
    without_spend: str,
) -> Orders:
    chosen, whole = found[model], sum(spent.values(), Spent())
    told = {channel for one in found.values() for channel in one.channels} | set(spent)

    def ratio(one: Ratio) -> Ratio:
        return Ratio(None, without_spend) if without_spend else one

    def row(channel: int) -> OrdersRow:
        credit, its = chosen.channels.get(channel, Credit()), spent.get(channel, Spent())
        return OrdersRow(
            key=keys.get(channel, ""),
            credit=credit,
            touched=chosen.touched.get(channel, 0),
            spent=its,
            paid=ratio(cost(its.paid, credit.conversions, paid=True, every=True)),
            blended=ratio(cost(its.blended, credit.conversions, paid=False, every=True)),
            returned=ratio(returned(credit, its)),
            is_sparse=chosen.is_sparse(channel),
            by_model={key: one.channels.get(channel, Credit()).credited for key, one in found.items()},
        )

    return Orders(
        customers=customers,
        total=chosen.total,
        unallocated=chosen.unallocated,
        blended=ratio(cost(whole.blended, chosen.total.conversions, paid=False, every=True)),
        returned=ratio(returned(chosen.total, whole)),
        channels=tuple(
            row(channel)
            for channel in sorted(told, key=lambda one: (-chosen.channels.get(one, Credit()).conversions, one))
        ),
    )

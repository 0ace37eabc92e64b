"""What attribution credits channels with in some periods, and the customers behind it: of first orders among everybody
read from kept sums, of every order, within a segment or within days of one's own counted from kept paths.

Credit says over which channels customers came to their orders; it does not say that they would not have come
otherwise."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np
from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.columns import fetch_columns
from clm.lib.questions import QuestionError
from customers.models import Channel

from .attribution.chain import effects
from .attribution.channels import DIRECT
from .attribution.credits import WHOLE, allotted, shares
from .attribution.declared import DEFAULT_MODEL, GOALS, LEAST_CONVERSIONS, LONGEST_WINDOW, MODELS, WINDOWS
from .attribution.paths import Int64s, Paths, starts
from .attribution.strung import NO_WAYS, Ways, credited_sums, numbers, paths_strung, touched
from .days.remembered import remembered
from .scope import Scope

# The credits from which it is read who has a channel in the path at all: every touch has a part in it.
_ANY = MODELS["linear"]
UNALLOCATED = 0
Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Attribution:
    """By which model, and over how many days before an order. goal: whether first orders are credited, or every one."""

    model: str = DEFAULT_MODEL
    window: int = WINDOWS[0]
    goal: str = next(iter(GOALS))

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise QuestionError("attribution", f"attribution is one of {', '.join(MODELS)}")
        if not 1 <= self.window <= LONGEST_WINDOW:
            raise QuestionError("window", f"window is a whole number of days from 1 to {LONGEST_WINDOW}")
        if self.goal not in GOALS:
            raise QuestionError("goal", f"goal is one of {', '.join(GOALS)}")


@dataclass(frozen=True, slots=True)
class Credit:
    """What a channel is credited with. customers: how many have any credit with it; conversions: millionths of
    customers, or of orders where every order is credited; revenue, value: its parts of these orders and of all orders
    so far, minor units."""

    customers: int = 0
    conversions: int = 0
    revenue: int = 0
    value: int = 0

    @property
    def credited(self) -> Fraction:
        """How many customers, or orders, the credit comes to."""
        return Fraction(self.conversions, WHOLE)

    def __add__(self, other: "Credit") -> "Credit":
        return Credit(
            self.customers + other.customers,
            self.conversions + other.conversions,
            self.revenue + other.revenue,
            self.value + other.value,
        )


@dataclass(frozen=True, slots=True)
class Credited:
    """What one model credits channels with, by id of the channel. unallocated: of those without a touch within the
    window; touched: by channel how many customers, or orders, have it in their path; ordered: of all paths, those of
    people who did not order included, the share that ended with an order (Markov only)."""

    model: str
    channels: Mapping[int, Credit]
    unallocated: Credit
    touched: Mapping[int, int]
    ordered: float | None = None

    @property
    def total(self) -> Credit:
        """Of all, those without a touch included. customers: how many there are, or orders."""
        summed = sum(self.channels.values(), self.unallocated)
        return Credit(summed.conversions // WHOLE, summed.conversions, summed.revenue, summed.value)

    def is_sparse(self, channel: int) -> bool:
        """Whether so few customers have the channel in their path that Markov's effect is chance."""
        return self.model == "markov" and self.touched.get(channel, 0) < LEAST_CONVERSIONS


def credited(
    *, scope: Scope, windows: Sequence[Days], attribution: Attribution, models: Sequence[str]
) -> list[dict[str, Credited]]:
    """Of each window of days [start, until) what each model credits channels with, for the goal and within the days of
    the attribution. Of the scope the segment counts."""
    if scope.segment is None and attribution.goal == "first" and attribution.window in WINDOWS:
        return _from_sums(windows=windows, lookback=attribution.window, models=models)
    found: list[dict[str, Credited]] = remembered(
        "credits",
        of=scope.generation,
        count=lambda: _from_paths(scope, windows, attribution, models),
        among=scope.among,
        windows=list(windows),
        goal=attribution.goal,
        window=attribution.window,
        models=list(models),
    )
    return found


def _from_paths(
    scope: Scope, windows: Sequence[Days], attribution: Attribution, models: Sequence[str]
) -> list[dict[str, Credited]]:
    direct = Channel.objects.filter(key=DIRECT).values_list("pk", flat=True).first() or -1
    answer = []
    for ways in _ways(scope, windows, attribution, with_others="markov" in models):
        in_path = touched(ways.of(ways.is_paying))
        found = {}
        for key, (sums, ordered) in credited_sums(ways, models=models, direct=direct).items():
            told = {channel: Credit(*row) for channel, row in sums.items()}
            unallocated = told.pop(UNALLOCATED, Credit())
            found[key] = Credited(key, told, unallocated, in_path, ordered)
        answer.append(found)
    return answer


def _ways(scope: Scope, windows: Sequence[Days], attribution: Attribution, *, with_others: bool) -> list[Ways]:
    """Paths that end in each window, cut to the days of the attribution: to first orders or to every order, and with
    those of people who have not ordered where Markov needs them."""
    asked = {
        "starts": [start for start, _until in windows],
        "untils": [until for _start, until in windows],
        **scope.among,
    }
    found = [NO_WAYS] * len(windows)
    is_first = attribution.goal == "first"
    if is_first or with_others:
        for number, customer, is_paying, revenue, value, lengths, channels, ages in sql.rows(
            "analytics/acquired_rows", is_buyers_only=not with_others, **asked
        ):
            ways = Ways(
                numbers(customer),
                numbers(is_paying) > 0,
                numbers(revenue),
                numbers(value),
                paths_strung(numbers(lengths), channels, ages),
            )
            found[number - 1] = ways if is_first else ways.of(~ways.is_paying)
    if not is_first:
        for number, customer, revenue, lengths, channels, ages in sql.rows("analytics/order_path_rows", **asked):
            amounts = numbers(revenue)
            ways = Ways(
                numbers(customer),
                np.ones(len(amounts), bool),
                amounts,
                amounts,
                paths_strung(numbers(lengths), channels, ages),
            )
            found[number - 1] = ways.joined(found[number - 1])
    return [
        Ways(ways.customer, ways.is_paying, ways.revenue, ways.value, ways.paths.within(attribution.window))
        for ways in found
    ]


def buyers(*, scope: Scope, windows: Sequence[Days]) -> list[int]:
    """How many customers ordered in each window, by the rows that credit of every order is counted from."""
    every = Attribution(goal="every")
    return [len(np.unique(ways.customer)) for ways in _ways(scope, windows, every, with_others=False)]


def _from_sums(*, windows: Sequence[Days], lookback: int, models: Sequence[str]) -> list[dict[str, Credited]]:
    wanted = {MODELS[key].code for key in models} | {_ANY.code}
    asked = {
        "lookback": lookback,
        "starts": [start for start, _until in windows],
        "untils": [until for _start, until in windows],
    }
    sums: dict[tuple[int, int], dict[int, Credit]] = defaultdict(dict)
    for number, code, channel, *counts in sql.rows("analytics/credit_sums", models=sorted(wanted - {0}), **asked):
        sums[number - 1, code][channel] = Credit(*counts)
    steps: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    if "markov" in models:
        for number, source, target, count in sql.rows("analytics/path_step_sums", **asked):
            steps[number - 1][source, target] = count
    answer = []
    for number in range(len(windows)):
        of_any = sums[number, _ANY.code]
        touched = {channel: credit.customers for channel, credit in of_any.items() if channel != UNALLOCATED}
        unallocated = of_any.get(UNALLOCATED, Credit())
        found = {}
        for key in models:
            if key == "markov":
                found[key] = _by_chain(steps[number], of_any, touched, unallocated)
                continue
            told = dict(sums[number, MODELS[key].code])
            told.pop(UNALLOCATED, None)
            found[key] = Credited(key, told, unallocated, touched)
        answer.append(found)
    return answer


def _by_chain(
    steps: Mapping[tuple[int, int], int], of_any: Mapping[int, Credit], touched: Mapping[int, int], rest: Credit
) -> Credited:
    """Everything that customers with a touch came to, parted by the effects of channels."""
    found = effects(steps)
    whole = sum((credit for channel, credit in of_any.items() if channel != UNALLOCATED), Credit())
    parts = {name: allotted(getattr(whole, name), found.share) for name in ("conversions", "revenue", "value")}
    channels = {
        channel: Credit(
            touched.get(channel, 0), *(parts[name].get(channel, 0) for name in ("conversions", "revenue", "value"))
        )
        for channel, share in found.share.items()
        if share > 0
    }
    return Credited("markov", channels, rest, touched, found.ordered if steps else None)


# --- the customers behind a number -------------------------------------------------------------------------------
_KINDS = {"first": "credited", "every": "orders"}


def group_name(attribution: Attribution, channel: str) -> str:
    """The name of the group of customers whose credit a channel has a part of; channel "": those without a touch."""
    return f"{_KINDS[attribution.goal]}:{attribution.model}:{attribution.window}:{channel}"


def parsed_group(group: str) -> tuple[Attribution, str]:
    """The attribution and the key of the channel that a group is about; QuestionError names the field `group`."""
    try:
        kind, model, window, channel = group.split(":")
        (goal,) = (goal for goal, name in _KINDS.items() if name == kind)
        return Attribution(model, int(window), goal), channel
    except (ValueError, QuestionError):
        raise QuestionError("group", _("There is no group “%(group)s”.") % {"group": group[:60]}) from None


def refuse_unknown_group(group: str, /) -> None:
    """QuestionError names the field `group` when there is no such group."""
    parsed_group(group)


def said(group: str, /) -> str:
    """What the customers of a group have in common, as the end of "12 customers ..."; a list goes on with the
    period."""
    attribution, channel = parsed_group(group)
    of = {"channel": channel, "days": attribution.window, "model": MODELS[attribution.model].name}
    if attribution.goal == "every":
        if not channel:
            return _("with an order without a marketing touch in the %(days)s days before it, which lies") % of
        if attribution.model == "markov":
            return _("touched over %(channel)s in the %(days)s days before an order, which lies") % of
        return _("with credit to %(channel)s (%(model)s, %(days)s days) for an order, which lies") % of
    if not channel:
        return _("without a marketing touch in the %(days)s days before their first order, which lies") % of
    if attribution.model == "markov":
        return _("touched over %(channel)s in the %(days)s days before their first order, which lies") % of
    return _("with credit to %(channel)s (%(model)s, %(days)s days) for their first order, which lies") % of


def customers_of(*, scope: Scope, group: str) -> list[int]:
    """The ids of the customers of a group, in order: those with an order (the first, or any) in the period that has
    credit with the channel. Read from the rows that credits are counted from."""
    attribution, key = parsed_group(group)
    channels = dict(Channel.objects.filter(key__in=[key, DIRECT]).values_list("key", "pk"))
    if key and key not in channels:
        return []
    wanted, direct = channels.get(key, UNALLOCATED), channels.get(DIRECT, -1)
    if attribution.goal == "first" and scope.segment is None:
        customers, paths = _paths(scope, attribution.window, wanted)
    else:
        (ways,) = _ways(scope, [(scope.period.start, scope.period.until)], attribution, with_others=False)
        customers, paths = ways.customer, ways.paths
    if wanted == UNALLOCATED:
        places = np.flatnonzero(paths.length == 0)
    else:
        # Markov has no credit of single customers: everybody who was touched has a part in it.
        model = "linear" if attribution.model == "markov" else attribution.model
        among = shares(model, paths, direct=direct)
        places = among.path[among.channel == wanted]
    return np.unique(customers[places]).tolist()


def _paths(scope: Scope, days: int, channel: int) -> tuple[Int64s, Paths]:
    """Customers in order whose first order lies in the period and whose path has the channel, and their touches of the
    days before it."""
    found = fetch_columns(
        "analytics/acquired_between",
        {"customer": "q", "channel": "h", "age": "i"},
        start=scope.period.start,
        until=scope.period.until,
        channel=channel,
        seconds=days * 86_400,
    )
    # The touches of a customer come one after the other, in order of time.
    order = np.argsort(found["customer"], kind="stable")
    customer, over, age = (found[name][order].astype(np.int64) for name in ("customer", "channel", "age"))
    heads = np.flatnonzero(np.diff(customer, prepend=-1))
    there = over != UNALLOCATED
    lengths = np.add.reduceat(there.astype(np.int64), heads) if len(heads) else heads
    return customer[heads], Paths(starts(lengths), over[there], age[there] * 1_000)

"""Columns of numbers that PostgreSQL strung together as text, and what a model credits channels with by the paths in
them: pure functions of columns, for questions that kept sums do not answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .chain import effects, steps
from .credits import WHOLE, allotted, parted, shares
from .declared import MODELS
from .paths import NOBODY, Int64s, Paths, starts


def numbers(text: str | None) -> Int64s:
    """Numbers between commas; nothing where there is no text."""
    return np.fromstring(text, np.int64, sep=",") if text else NOBODY


@dataclass(frozen=True, slots=True)
class Ways:
    """Paths with what they led to. customer: whose each is; is_paying: whether it ended with an order; revenue, value:
    what that order, and the customer so far, came to."""

    customer: Int64s
    is_paying: np.ndarray
    revenue: Int64s
    value: Int64s
    paths: Paths

    def joined(self, others: "Ways") -> "Ways":
        """These and others as one."""
        start = np.concatenate((self.paths.start, others.paths.start[1:] + self.paths.start[-1]))
        paths = Paths(
            start,
            np.concatenate((self.paths.channel, others.paths.channel)),
            np.concatenate((self.paths.age, others.paths.age)),
        )
        return Ways(
            np.concatenate((self.customer, others.customer)),
            np.concatenate((self.is_paying, others.is_paying)),
            np.concatenate((self.revenue, others.revenue)),
            np.concatenate((self.value, others.value)),
            paths,
        )

    def of(self, some: np.ndarray) -> "Ways":
        """Some of them."""
        return Ways(
            self.customer[some], self.is_paying[some], self.revenue[some], self.value[some], self.paths.of(some)
        )


NO_WAYS = Ways(NOBODY, np.empty(0, bool), NOBODY, NOBODY, Paths(starts(NOBODY), NOBODY, NOBODY))


def paths_strung(lengths: Int64s, channels: str | None, ages: str | None) -> Paths:
    """Paths of these lengths; ages in seconds."""
    return Paths(starts(lengths), numbers(channels), numbers(ages) * 1_000)


# (customers, conversions in millionths, revenue, value) by channel; channel 0: of paths without a touch.
Sums = dict[int, tuple[int, int, int, int]]


def summed(ways: Ways, *, model: str, direct: int) -> Sums:
    """What a model that looks at one path alone credits each channel with."""
    paths, whole = ways.paths, np.full(len(ways.customer), WHOLE, np.int64)
    among = shares(model, paths, direct=direct)
    found: Sums = {}
    columns = [parted(amounts, among) for amounts in (whole, ways.revenue, ways.value)]
    for channel in np.unique(among.channel).tolist():
        its = among.channel == channel
        conversions, revenue, value = (int(column[its].sum()) for column in columns)
        found[channel] = (len(np.unique(ways.customer[among.path[its]])), conversions, revenue, value)
    alone = paths.length == 0
    if alone.any():
        sums = (int(column[alone].sum()) for column in (whole, ways.revenue, ways.value))
        found[0] = (len(np.unique(ways.customer[alone])), *sums)  # type: ignore[assignment]
    return found


def touched(ways: Ways) -> dict[int, int]:
    """By channel in how many paths it is."""
    among = shares("linear", ways.paths, direct=0)
    channel, count = np.unique(among.channel, return_counts=True)
    return dict(zip(channel.tolist(), count.tolist(), strict=True))


def by_chain(ways: Ways, orders: Sums) -> tuple[Sums, float | None]:
    """What Markov credits channels with, and which share of paths ended with an order. orders: of those that did, what
    a model credits channels with that gives each a part."""
    made = steps(ways.paths, ways.is_paying)
    pair, count = np.unique(np.column_stack((made.source, made.target)), axis=0, return_counts=True)
    counted: Mapping[tuple[int, int], int] = {
        (int(source), int(target)): int(number) for (source, target), number in zip(pair, count, strict=True)
    }
    found = effects(counted)
    rows = [sums for channel, sums in orders.items() if channel]
    parts = [allotted(sum(row[at] for row in rows), found.share) for at in (1, 2, 3)]
    told: Sums = {
        channel: (orders.get(channel, (0,))[0], *(part.get(channel, 0) for part in parts))  # type: ignore[misc]
        for channel, share in found.share.items()
        if share > 0
    }
    if 0 in orders:
        told[0] = orders[0]
    return told, found.ordered if counted else None


def credited_sums(ways: Ways, *, models: Sequence[str], direct: int) -> dict[str, tuple[Sums, float | None]]:
    """By model what it credits channels with."""
    orders = ways.of(ways.is_paying)
    found: dict[str, tuple[Sums, float | None]] = {}
    for key in models:
        if MODELS[key].code:
            found[key] = summed(orders, model=key, direct=direct), None
        else:
            found[key] = by_chain(ways, summed(orders, model="linear", direct=direct))
    return found

"""What rows of customers add to kept sums: pure functions of columns. A row that is no longer right is taken off with
sign -1: kept figures are sums of these cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .chain import steps
from .credits import WHOLE, parted, shares
from .declared import ADDITIVE, WINDOWS
from .draws import DRAWS, drawn
from .paths import Int64s, Paths, starts

# (day, is_paying, revenue, value, channels, ages in seconds, months, amounts); days are counted from 1970.
Row = tuple[int, bool, int, int, tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]
_MODELS, _CHANNELS, _STATES, _MONTHS = 8, 1 << 16, 1 << 18, 1 << 12
_SOME = 2_000  # customers that are drawn at once
_PARTS = 60  # parts of sums that are kept apart until they are put together


@dataclass(frozen=True, slots=True)
class People:
    """Rows of customers as columns. month: of the first order, counted from the year 0; came: (place of the customer,
    months after the first order, amount) of what each brought."""

    customer: Int64s
    day: Int64s
    is_paying: np.ndarray
    revenue: Int64s
    value: Int64s
    paths: Paths
    came: tuple[Int64s, Int64s, Int64s]

    @property
    def month(self) -> Int64s:
        months = self.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return months + 1970 * 12


def people(rows: Mapping[int, Row]) -> People:
    """Rows by customer as columns, in order of customer."""
    customers = sorted(rows)
    told = [rows[customer] for customer in customers]

    def column(at: int) -> Int64s:
        return np.array([row[at] for row in told], np.int64)

    def strung(at: int) -> Int64s:
        return np.array([one for row in told for one in row[at]], np.int64)  # type: ignore[union-attr]

    def lengths(at: int) -> Int64s:
        return np.array([len(row[at]) for row in told], np.int64)  # type: ignore[arg-type]

    return People(
        customer=np.array(customers, np.int64),
        day=column(0),
        is_paying=np.array([row[1] for row in told], bool),
        revenue=column(2),
        value=column(3),
        paths=Paths(starts(lengths(4)), strung(4), strung(5) * 1_000),
        came=(np.repeat(np.arange(len(told), dtype=np.int64), lengths(6)), strung(6), strung(7)),
    )


@dataclass(slots=True)
class Cells:
    """Sums by key, a row of numbers each."""

    width: int
    keys: list[Int64s] = field(default_factory=list)
    rows: list[Int64s] = field(default_factory=list)

    def add(self, key: Int64s, columns: Sequence[Int64s], sign: int) -> None:
        """Count some more; keys may come twice."""
        if len(key):
            self.keys.append(key)
            self.rows.append(np.column_stack(list(columns)) * sign)
        if len(self.keys) > _PARTS:
            self.keys, self.rows = ([one] for one in self.read())

    def read(self) -> tuple[Int64s, Int64s]:
        """Each key once, in order, with its sums; those that come to nothing are left out."""
        if not any(map(len, self.keys)):
            return np.empty(0, np.int64), np.empty((0, self.width), np.int64)
        keys = np.concatenate(self.keys)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        heads = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        sums = np.add.reduceat(np.concatenate(self.rows)[order], heads, axis=0)
        told = (sums != 0).any(axis=1)
        return keys[heads][told], sums[told]


@dataclass(slots=True)
class Sums:
    """What changes of all kept sums."""

    direct: int
    credits: Cells = field(default_factory=lambda: Cells(4))
    steps: Cells = field(default_factory=lambda: Cells(1))
    months: Cells = field(default_factory=lambda: Cells(1))
    draws: Cells = field(default_factory=lambda: Cells(2 + 2 * DRAWS))

    def add(self, rows: Mapping[int, Row], sign: int = 1) -> None:
        """Count what these rows say; sign -1 takes it off."""
        if not rows:
            return
        all_of_them = people(rows)
        for days in WINDOWS:
            paths = all_of_them.paths.within(days)
            self._add_steps(days, all_of_them, paths, sign)
            self._add_credits(days, all_of_them, paths, sign)
        self._add_cohorts(all_of_them, sign)

    def _add_credits(self, days: int, of: People, paths: Paths, sign: int) -> None:
        buyers = of.is_paying
        paths, day = paths.of(buyers), of.day[buyers]
        revenue, value = of.revenue[buyers], of.value[buyers]
        whole = np.full(len(day), WHOLE, np.int64)
        alone = np.flatnonzero(paths.length == 0)
        one = np.ones(len(alone), np.int64)
        for model in ADDITIVE:
            among = shares(model.key, paths, direct=self.direct)
            base = _credit_key(days, model.code, day)
            self.credits.add(
                base[among.path] + among.channel,
                (
                    np.ones(len(among.path), np.int64),
                    parted(whole, among),
                    parted(revenue, among),
                    parted(value, among),
                ),
                sign,
            )
            self.credits.add(base[alone], (one, whole[alone], revenue[alone], value[alone]), sign)

    def _add_steps(self, days: int, of: People, paths: Paths, sign: int) -> None:
        found = steps(paths, of.is_paying)
        key = of.day[found.path] * len(WINDOWS) + WINDOWS.index(days)
        key = (key * _STATES + found.source + 2) * _STATES + found.target + 2
        self.steps.add(key, (np.ones(len(key), np.int64),), sign)

    def _add_cohorts(self, of: People, sign: int) -> None:
        owner, later, amount = of.came
        self.months.add(of.month[owner] * _MONTHS + later, (amount,), sign)
        buyers = np.flatnonzero(of.is_paying)
        for start in range(0, len(buyers), _SOME):
            some = buyers[start : start + _SOME]
            times, value = drawn(of.customer[some]), of.value[some]
            ones = np.ones(len(some), np.int64)
            month = of.month[some]
            order = np.argsort(month, kind="stable")
            heads = np.flatnonzero(np.append(True, month[order][1:] != month[order][:-1]))
            table = np.column_stack((ones, value, times, times * value[:, None]))[order]
            self.draws.add(month[order][heads], list(np.add.reduceat(table, heads, axis=0).T), sign)


def _credit_key(days: int, code: int, day: Int64s) -> Int64s:
    return ((day * len(WINDOWS) + WINDOWS.index(days)) * _MODELS + code) * _CHANNELS


def credit_columns(cells: Cells) -> dict[str, list[Any]]:
    """Sums of credits as columns of CreditDay."""
    key, sums = cells.read()
    rest, channel = np.divmod(key, _CHANNELS)
    rest, model = np.divmod(rest, _MODELS)
    day, window = np.divmod(rest, len(WINDOWS))
    names = ("customers", "conversions", "revenue", "value")
    return {
        "lookbacks": np.array(WINDOWS)[window].tolist(),
        "models": model.tolist(),
        "days": day.tolist(),
        "channels": channel.tolist(),
        **{name: sums[:, at].tolist() for at, name in enumerate(names)},
    }


def step_columns(cells: Cells) -> dict[str, list[Any]]:
    """Sums of steps as columns of PathStep."""
    key, sums = cells.read()
    rest, target = np.divmod(key, _STATES)
    rest, source = np.divmod(rest, _STATES)
    day, window = np.divmod(rest, len(WINDOWS))
    return {
        "lookbacks": np.array(WINDOWS)[window].tolist(),
        "days": day.tolist(),
        "sources": (source - 2).tolist(),
        "targets": (target - 2).tolist(),
        "steps": sums[:, 0].tolist(),
    }


def month_columns(cells: Cells) -> dict[str, list[Any]]:
    """Sums by cohort and month as columns of CohortMonth."""
    key, sums = cells.read()
    month, later = np.divmod(key, _MONTHS)
    return {"months": month.tolist(), "laters": later.tolist(), "revenues": sums[:, 0].tolist()}

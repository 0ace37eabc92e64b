"""Writing changes of kept figures. Everything is added to what is there, so the same rows serve a first count and a
late fact; the caller's transaction also moves the mark that says how far is counted."""

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from clm.lib import sql
from clm.lib.columns import store_columns

from .calendar import number_of
from .counts import ACTIVITY_COLUMNS, SALES_COLUMNS, SalesChanges, StageChanges, sparse, summed
from .declared import LENGTHS
from .differences import Entries, Int64s


@dataclass(frozen=True, slots=True)
class Stroke:
    """One writing: up to which day stocks are kept, what is known, why something moves, and the first day that was not
    finished before (None: figures are counted anew, nothing moves)."""

    today: date
    known_at: datetime
    cause: int  # of Cause, or CONVERTED
    finished: date | None


def open_days(*, version: int, last_day: date, today: date) -> None:
    """Carry the stocks of a version forward to today."""
    if today > last_day:
        sql.run("analytics/days_stage_days_open", version=version, last_day=last_day, today=today).close()


def store_stages(*, version: int, changes: StageChanges, stroke: Stroke) -> int:
    """Add what changes of one version; how many rows were touched."""
    day, source, target, amount = changes.read(changes.moved)
    rows = len(day)
    if rows:
        sql.run(
            "analytics/days_stage_moves_add",
            version=version,
            days=day.tolist(),
            sources=source.tolist(),
            targets=target.tolist(),
            amounts=amount.tolist(),
        ).close()
    rows += _store_stage_days(version, changes, stroke)
    for length in LENGTHS:
        until, start, end, amount = changes.read(changes.shifted[length])
        rows += len(until)
        if len(until):
            sql.run(
                "analytics/days_stage_shifts_add",
                version=version,
                length=length,
                days=until.tolist(),
                sources=start.tolist(),
                targets=end.tolist(),
                amounts=amount.tolist(),
            ).close()
    return rows


def store_members(*, version: int, changes: StageChanges, then: Entries, now: Entries) -> None:
    """Move those who are in another stage than then. Customers are known by their ids here."""
    codes = changes.codes
    was, became = (owner * codes + stage for owner, stage in (then.last(), now.last()))
    for name, rows in (
        ("analytics/days_members_end", np.setdiff1d(was, became)),
        ("analytics/days_members_add", np.setdiff1d(became, was)),
    ):
        if len(rows):
            stages = changes.stage_of(rows % codes)
            sql.run(name, version=version, customers=(rows // codes).tolist(), stages=stages.tolist()).close()


def copy_members(*, version: int, changes: StageChanges, entries: Entries) -> None:
    """Add members of a version of which nobody is kept yet."""
    owner, code = entries.last()
    stage = changes.stage_of(code)
    order = np.lexsort((owner, stage))
    store_columns(
        "analytics_member",
        {"version_id": "i", "stage_id": "i", "customer_id": "q"},
        {
            "version_id": np.full(len(order), version),
            "stage_id": stage[order],
            "customer_id": owner[order],
        },
    )


def _store_stage_days(version: int, changes: StageChanges, stroke: Stroke) -> int:
    """Stocks change from a day on for good, traffic on its day alone."""
    parts = [changes.moved[0], changes.stock[0]]
    if not any(len(key) for key in parts):
        return 0
    last, codes = number_of(stroke.today), changes.codes
    first = int(min(key.min() for key in parts if len(key)) // codes**2)
    stock, entered, left = (np.zeros((last - first + 1, codes), np.int64) for _table in range(3))
    # Stocks are keyed as (day, none, stage).
    key, amount = changes.stock
    np.add.at(stock, (key // codes**2 - first, key % codes), amount)
    stock = stock.cumsum(axis=0)
    key, amount = changes.moved
    day = key // codes**2 - first
    np.add.at(entered, (day, key % codes), amount)
    np.add.at(left, (day, key // codes % codes), amount)
    told = (stock != 0) | (entered != 0) | (left != 0)
    told[:, 0] = False
    days, code = np.nonzero(told)
    if len(days):
        sql.run(
            "analytics/days_stage_days_add",
            version=version,
            days=(days + first).tolist(),
            stages=changes.stage_of(code).tolist(),
            customers=stock[told].tolist(),
            entered=entered[told].tolist(),
            left=left[told].tolist(),
            finished=stroke.finished,
            today=stroke.today,
            known_at=stroke.known_at,
            cause=int(stroke.cause),
        ).close()
    return len(days)


def store_sales(*, changes: SalesChanges, stroke: Stroke) -> int:
    """Add what changes of sales and activity; how many rows were touched."""
    rows = 0
    for lines in (0, 1):
        days, columns = sparse({name: changes.days.get((lines, name), summed([])) for name in SALES_COLUMNS})
        rows += len(days)
        if len(days):
            sql.run(
                "analytics/days_sales_add",
                products_only=bool(lines),
                days=days.tolist(),
                **_listed(columns),
                finished=stroke.finished,
                today=stroke.today,
                known_at=stroke.known_at,
                cause=int(stroke.cause),
            ).close()
        for length in LENGTHS:
            days, columns = sparse(
                {name: changes.windows.get((length, lines, name), summed([])) for name in ACTIVITY_COLUMNS}
            )
            rows += len(days)
            if len(days):
                sql.run(
                    "analytics/days_activity_add",
                    length=length,
                    products_only=bool(lines),
                    days=days.tolist(),
                    **_listed(columns),
                ).close()
    return rows


def _listed(columns: dict[str, Int64s]) -> dict[str, list[int]]:
    return {name: column.tolist() for name, column in columns.items()}

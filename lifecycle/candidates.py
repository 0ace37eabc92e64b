"""Who may need advancing, in which order. Only hints: what is true is read after the customers are locked."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from clm.lib import sql
from customers.ingest import clock

# Of so many places one goes to a customer that is due by time alone, however many are waiting with something new.
_PLACES_FOR_ONE_DUE = 4


def candidates(*, limit: int) -> list[int]:
    """Up to `limit` ordinary customers that may need advancing, longest waiting first: those about whom something new
    is known, and among them, every fourth, those that time alone changes. What waits for parked customers is dropped:
    whoever puts them back marks them as changed."""
    while True:
        stale = _oldest_stale(limit)
        parked = [customer for customer, is_parked in stale if is_parked]
        found = [customer for customer, is_parked in stale if not is_parked]
        if parked:
            sql.run("lifecycle/stale_of_parked_end", customers=parked).close()
        if found or not parked:
            break
    due = [customer for (customer,) in sql.rows("lifecycle/candidates_due", limit=limit, now=clock())]
    return _woven(found, due)[:limit]


def hot_candidates(*, limit: int, now: datetime | None = None) -> list[int]:
    """Customers with very many touchpoints whose turn has come and for whom something waits, longest waiting first."""
    return [customer for (customer,) in sql.rows("lifecycle/candidates_hot", limit=limit, now=now or clock())]


def _woven(stale: Sequence[int], due: Sequence[int]) -> list[int]:
    """Both in their order, each customer once; while both last, one of `due` after every few of `stale`."""
    few = _PLACES_FOR_ONE_DUE - 1
    woven: list[int] = []
    for place, customer in enumerate(due):
        woven += [*stale[place * few : (place + 1) * few], customer]
    return list(dict.fromkeys([*woven, *stale[len(due) * few :]]))


def _oldest_stale(limit: int) -> list[tuple[int, bool]]:
    """Customers of the oldest Stale rows. A backlog of millions is not read for one batch; but rows of customers with
    very many touchpoints, which wait for their minute, must not hide everybody behind them, so the look widens until
    it finds enough."""
    rows = 10 * limit
    while True:
        found = sql.rows("lifecycle/candidates_stale", rows=rows, limit=limit)
        if len(found) >= limit:
            return found
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM (SELECT FROM customers_stale LIMIT %s) AS head", [rows])
            (known,) = cursor.fetchone()
        if known < rows:
            return found
        rows *= 10

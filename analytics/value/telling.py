"""Telling rules what customers were scored: the steps of the scoring that is shown, in ranges of customers that are
committed with how far they came. Only a step that changed is told, and only where a live rule names it is a customer
looked at again.

A changed step is news, like anything that time brings about, only where it follows what was told of the day before and
rests on what happened since. The first telling of all, one after a gap, one after types were mapped anew and one that
follows from facts that arrived late tell nobody anything as it happens."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Sum

from clm.lib import sql
from clm.lib.columns import fetch_columns
from clm.lib.milliseconds import truncated
from clm.lib.periods import day_start
from customers import locks
from customers.ingest import clock
from customers.models import Cause, Customer, Installation, ScoreStep
from customers.score_steps import Told, tell_steps
from lifecycle.named_scores import named_scores

from ..models import SalesDay, Scoring
from ..scores import latest_scoring
from .everybody import CHUNK
from .population import Types
from .purchases import Int64s

# Above this share of orders that arrived late, what everybody is compared with has moved.
MOST_LATE = 0.01
_COLUMNS = {"customer": "q", "alive": "h", "risk": "h", "worth": "h", "rfm": "h"}
Tell = Callable[[str], None]


def cause_of(*, scoring: Scoring, before: Scoring | None) -> Cause:
    """Why steps are what they are by a scoring that follows the one that was told before."""
    if before is None or not ScoreStep.objects.exists():
        return Cause.ENGINE
    if _counted_by(before) != _counted_by(scoring):
        return Cause.MAPPING
    if before.as_of + timedelta(days=1) != scoring.as_of:
        return Cause.LATE if before.as_of == scoring.as_of else Cause.ENGINE
    known = before.document.get("orders")
    if known is None or abs(orders_until(before.as_of) - known) > MOST_LATE * known:
        return Cause.LATE
    return Cause.TIME


def orders_until(day: date) -> int:
    """Orders up to the end of a day, as they are counted now."""
    return SalesDay.objects.filter(products_only=False, day__lte=day).aggregate(found=Sum("orders"))["found"] or 0


def _counted_by(scoring: Scoring) -> str:
    """The zone and the mapping that a scoring rests on."""
    return scoring.basis.rpartition(";")[0]


def tell_latest(*, tell: Tell = lambda _line: None) -> Told | None:
    """Tell what is still to be told of the latest scoring; None: somebody else is at work."""
    steps = stale = 0
    scoring = latest_scoring()
    if scoring is None or scoring.next_told is None:
        return Told(0, 0)
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    late = _late(scoring)
    while scoring.next_told is not None:
        with transaction.atomic():
            locks.share(locks.PROPERTY_KEYS)
            locks.share(locks.VERSIONS)
            if not locks.try_own(locks.SCORING):
                return None
            found = Scoring.objects.select_for_update().filter(pk=scoring.pk).first()
            if found is None or found.next_told is None:
                break
            scoring = found
            done = _tell_range(scoring, late)
            steps, stale = steps + done.steps, stale + done.stale
            scoring.next_told = None if found.next_told + CHUNK > last else found.next_told + CHUNK
            scoring.save(update_fields=["next_told"])
        reached = last if scoring.next_told is None else scoring.next_told - 1
        tell(f"scores of {scoring.as_of}: told rules of customers up to {reached} of {last}")
    return Told(steps, stale)


def _tell_range(scoring: Scoring, late: Int64s) -> Told:
    first = scoring.next_told
    assert first is not None
    found = fetch_columns("analytics/value_steps", _COLUMNS, scoring=scoring.pk, first=first, until=first + CHUNK)
    customer, rfm = found["customer"], found["rfm"].astype(np.int64)
    cause = Cause(scoring.document["telling"]["cause"])
    causes = np.where(np.isin(customer, late), Cause.LATE, cause)
    return tell_steps(
        first=first,
        until=first + CHUNK,
        customers=customer.tolist(),
        causes=causes.tolist(),
        steps={
            **{name: found[name].tolist() for name in ("alive", "risk", "worth")},
            "recency": (rfm // 100).tolist(),
            "frequency": (rfm // 10 % 10).tolist(),
            "monetary": (rfm % 10).tolist(),
        },
        named=named_scores(),
        since=scoring.started_at,
        cause=cause,
        at=truncated(clock()),
    )


def _late(scoring: Scoring) -> Int64s:
    """Customers about whom something arrived since the scoring before that had happened by its day."""
    telling = scoring.document["telling"]
    if telling["cause"] != Cause.TIME:
        return np.empty(0, np.int64)
    types = Types.mapped()
    rows = sql.rows(
        "analytics/value_late",
        types=[*types.purchases, *types.refunds, *types.begins, *types.ends],
        since=datetime.fromisoformat(telling["since"]),
        before=day_start(scoring.as_of, Installation.current().time_zone),
    )
    return np.array([customer for (customer,) in rows], np.int64)

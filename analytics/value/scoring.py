"""Scoring everybody by the value models, as of the end of the last finished day: `score_due` is called again and again,
by beat, by a command, by anybody.

1. What a scoring rests on is read from kept daily sales (`basis`): as long as neither the day nor that has changed,
   there is nothing to do. One that took long rests a hundred times as long before it is done again for what came late.
2. The models are fitted once, to everybody, and proved on the past; what was found is kept with the scoring.
3. Everybody is scored by what was found, from the orders that were read for it, in ranges of customers that are
   committed with how far they came. A killed job goes on there, by the document, and reads the orders of who is left.
4. The new scores are what pages show from one transaction on; those of earlier days go, but for ends of months.
5. Rules are told the steps that changed (`telling`), those of the latest day alone.

Whoever is scored keeps no lock that ingest or advance needs. This module brings SciPy, so only jobs import it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max, Min, Sum

from clm.lib import sql
from clm.lib.periods import local_day
from customers import locks
from customers.ingest import clock
from customers.models import Customer, Installation

from ..days.calendar import number_of
from ..forgetting import forget_in, forget_scores, latest_erasure
from ..models import SalesDay, Score, Scoring
from ..scores import latest_scoring
from .contracts import expected
from .discounting import DAYS_A_YEAR, daily_rate, monthly_rate
from .documents import Worth, classes_of, found_in, worth_of
from .everybody import CHUNK, Everybody, everybody
from .population import Running, Types
from .proving import RISK_DAYS, days_needed, tenths
from .purchases import Floats, Int64s
from .rfm import CLASSES
from .telling import cause_of, orders_until, tell_latest

HORIZONS = (DAYS_A_YEAR, 2 * DAYS_A_YEAR, 3 * DAYS_A_YEAR)
MONTHS = (12, 24, 36)  # the same, of contracts
REST = 100  # times as long as it took
LEAST_REST = timedelta(minutes=1)
# Of the past, the part that models must foretell: a third, at most half a year, at least four weeks.
HELD_OUT, MOST_HELD_OUT, LEAST_HELD_OUT = 3, 182, 28
_NAMES = ("recency", "frequency", "monetary")

Tell = Callable[[str], None]


@dataclass(slots=True)
class Scored:
    """What a call did. scorings: finished by it; rows: scores kept and steps told; busy: somebody else is at work."""

    scorings: int = 0
    rows: int = 0
    busy: bool = False


def score_due(*, now: datetime, tell: Tell = lambda _line: None, anew: bool = False) -> Scored:
    """Score the last finished day and the last finished month, if they are not scored or what they rest on has changed.
    `anew`: even if it has not."""
    done = Scored()
    forget_scores()
    zone = Installation.current().time_zone
    yesterday = local_day(now, zone) - timedelta(days=1)
    month_end = (yesterday + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    if not _told(done, tell):  # what a killed one left
        return done
    for as_of in sorted({yesterday, month_end}, reverse=True):
        basis = _basis(as_of=as_of, zone=zone)
        if basis is None or (not anew and not _is_due(as_of=as_of, basis=basis, now=now)):
            continue
        if not _score(as_of=as_of, basis=basis, zone=zone, done=done, now=now, tell=tell):
            done.busy = True
            break
        if not _told(done, tell):
            break
    return done


def _told(done: Scored, tell: Tell) -> bool:
    """Tell rules what is to be told; false when somebody else is at work."""
    told = tell_latest(tell=tell)
    done.busy = told is None
    done.rows += 0 if told is None else told.steps
    return told is not None


def _basis(*, as_of: date, zone: str) -> str | None:
    """What a scoring as of a day rests on, None where nothing was ordered by then."""
    counted = SalesDay.objects.filter(products_only=False, day__lte=as_of)
    sums = counted.aggregate(orders=Sum("orders"), bought=Sum("bought"), refunded=Sum("refunded"))
    if not sums["orders"]:
        return None
    return f"{zone}; {Types.mapped()}; {sums['orders']} orders, {sums['bought']} bought, {sums['refunded']} refunded"


def _is_due(*, as_of: date, basis: str, now: datetime) -> bool:
    latest = Scoring.objects.filter(as_of=as_of, state=Scoring.State.DONE).order_by("-pk").first()
    if latest is None:
        return True
    assert latest.done_at is not None
    rest = max((latest.done_at - latest.started_at) * REST, LEAST_REST)
    return latest.basis != basis and now >= latest.done_at + rest


def _score(*, as_of: date, basis: str, zone: str, done: Scored, now: datetime, tell: Tell) -> bool:
    """One whole scoring; false when somebody else is at work on one."""
    with transaction.atomic():
        if not locks.try_own(locks.SCORING):
            return False
        scoring = _begun(as_of=as_of, basis=basis, now=now)
        people = None
        if not scoring.document:
            tell(f"scores of {as_of}: fitting")
            people = everybody(until=as_of, types=Types.mapped(), zone=zone, tell=tell, **_days(as_of))
            document, worth = found_in(people)
            borders = _borders(people, worth)
            document["steps"] = {"worth": borders}
            document["orders"] = orders_until(as_of)
            scoring.document = document
            scoring.save()
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    while scoring.next_customer <= last:
        with transaction.atomic():
            if not locks.try_own(locks.SCORING):
                return False
            scoring.refresh_from_db()
            done.rows += _score_range(scoring, zone, people)
        tell(f"scores of {as_of}: customers up to {min(scoring.next_customer - 1, last)} of {last}")
    with transaction.atomic():
        if not locks.try_own(locks.SCORING):
            return False
        _finish(scoring)
    done.scorings += 1
    return True


def _begun(*, as_of: date, basis: str, now: datetime) -> Scoring:
    """The scoring under way, if it is of that day and rests on the same; a new one otherwise."""
    under_way = Scoring.objects.select_for_update().filter(state=Scoring.State.STARTED).first()
    if under_way is not None and (under_way.as_of, under_way.basis) == (as_of, basis):
        return under_way
    if under_way is not None:
        _forget([under_way.pk])
    return Scoring.objects.create(
        as_of=as_of, basis=basis, state=Scoring.State.STARTED, erasures=latest_erasure(), started_at=now
    )


def _days(as_of: date) -> dict[str, Any]:
    """Where the past begins and is cut, and the days whose knowledge is asked for."""
    until = number_of(as_of)
    ordered = SalesDay.objects.filter(products_only=False, orders__gt=0, day__lte=as_of)
    start = number_of(ordered.aggregate(first=Min("day"))["first"])
    held = min((until - start) // HELD_OUT, MOST_HELD_OUT)
    cut = until - held if held >= LEAST_HELD_OUT else until
    asked = sorted({cut, *days_needed(until), until})
    return {"start": start, "cut": cut, "asked": asked}


def _score_range(scoring: Scoring, zone: str, everyone: Everybody | None) -> int:
    """Score as many customers as fit the memory; how many were kept. everyone: those the models were fitted to; whoever
    goes on where another was killed reads their orders again (None)."""
    first = scoring.next_customer
    if everyone is not None:
        people = everyone.part(first, first + CHUNK)
    else:
        until = number_of(scoring.as_of)
        people = everybody(
            until=scoring.as_of,
            start=until,
            cut=until,
            asked=[until],
            types=Types.mapped(),
            zone=zone,
            first=first,
            end=first + CHUNK,
        )
    rows = _scores(people, worth_of(scoring.document), scoring.document)
    if rows["customers"]:
        sql.run("analytics/value_scores_add", scoring=scoring.pk, **rows).close()
    scoring.next_customer, scoring.customers = first + CHUNK, scoring.customers + len(rows["customers"])
    scoring.save()
    return len(rows["customers"])


def _worths(people: Everybody, worth: Worth) -> list[Floats] | None:
    """Expected revenue within each horizon, discounted, in minor units."""
    if worth.orders is None or worth.values is None:
        return None
    together, _places = people.buyers(people.until)
    repeats = people.known[people.until].repeats
    each = worth.values.order_values(repeats, people.mean)
    streams = worth.orders.discounted_orders(together.purchases, horizons=HORIZONS, rate=daily_rate())
    return [stream[together.row] * each for stream in streams]


def _contract_worths(running: Running, worth: Worth) -> list[Floats] | None:
    """The same of those under contract: survival given how long they have been, times what each pays a month."""
    if worth.lasting is None:
        return None
    # Who has paid on one day only: the average of all contracts.
    monthly = np.where(np.isnan(running.monthly), np.nan if worth.monthly is None else worth.monthly, running.monthly)
    found = expected(worth.lasting, running.age, horizons=MONTHS, rate=monthly_rate())
    return [one * monthly for one in found.worth]


def _borders(people: Everybody, worth: Worth) -> list[int]:
    """The highest expected revenue of each tenth of customers but the last."""
    told = (_worths(people, worth), _contract_worths(people.running, worth))
    years = np.concatenate([one[0] for one in told if one is not None] or [np.empty(0)])
    years = years[~np.isnan(years)]
    if not len(years):
        return []
    ordered = np.sort(np.rint(years).astype(np.int64))
    return [int(ordered[-(-len(ordered) * part // 10) - 1]) for part in range(1, 10)]


def _scores(people: Everybody, worth: Worth, document: dict[str, Any]) -> dict[str, list[Any]]:
    """The columns that are kept of some customers."""
    number = len(people.customer)
    nothing: list[Any] = [None] * number
    none_told = [0] * number
    known = people.known[people.until]
    together, _places = people.buyers(people.until)
    columns: dict[str, list[Any]] = {
        "customers": people.customer.tolist(),
        "alive": nothing,
        "risk": nothing,
        "worth_12": nothing,
        "worth_24": nothing,
        "worth_36": nothing,
        "alive_step": none_told,
        "risk_step": none_told,
        "worth_step": none_told,
        "silent_days": people.silent_days.tolist(),
        "orders": (known.repeats + 1).tolist(),
        "revenue": people.revenue.tolist(),
        "rfm": _rfm(people, document).tolist(),
        "renewals": nothing,
    }
    if worth.orders is not None and worth.tells_alive:
        alive = worth.orders.alive(together.purchases)[together.row]
        columns["alive"], columns["alive_step"] = alive.tolist(), tenths(alive).tolist()
    if worth.orders is not None and worth.tells_risk:
        risk = worth.risk(together.purchases, RISK_DAYS)[together.row]
        columns["risk"], columns["risk_step"] = risk.tolist(), tenths(risk).tolist()
    found = _worths(people, worth)
    if found is not None:
        whole = [np.rint(one).astype(np.int64) for one in found]
        for name, column in zip(("worth_12", "worth_24", "worth_36"), whole, strict=True):
            columns[name] = column.tolist()
        columns["worth_step"] = _worth_steps(document, whole[0]).tolist()
    theirs = _of_contracts(people.running, worth, document)
    return {name: column + theirs[name] for name, column in columns.items()}


def _worth_steps(document: dict[str, Any], year: Int64s) -> Int64s:
    """In which tenth by what is expected within a year."""
    found: Int64s = np.searchsorted(np.array(document["steps"]["worth"], np.int64), year, side="left") + 1
    return found


def _of_contracts(running: Running, worth: Worth, document: dict[str, Any]) -> dict[str, list[Any]]:
    """The same columns of those under contract, nobody where the model of contracts is refused. Whoever has a contract
    that runs is a customer; the risk is told by no model that was proved on the past, and classes are of orders."""
    number = len(running.customer) if worth.lasting is not None else 0
    theirs: dict[str, list[Any]] = {
        **{name: [None] * number for name in ("risk", "worth_12", "worth_24", "worth_36")},
        **{name: [0] * number for name in ("risk_step", "worth_step", "rfm")},
        "customers": running.customer[:number].tolist(),
        "alive": [1.0 if worth.contracts_alive else None] * number,
        "alive_step": [10 if worth.contracts_alive else 0] * number,
        "silent_days": running.silent_days[:number].tolist(),
        "orders": running.orders[:number].tolist(),
        "revenue": running.revenue[:number].tolist(),
        "renewals": np.floor(running.age[:number]).astype(np.int64).tolist(),
    }
    found = _contract_worths(running, worth)
    if found is not None:
        told = ~np.isnan(found[0])
        whole = [np.rint(np.where(told, one, 0)).astype(np.int64) for one in found]
        for name, column in zip(("worth_12", "worth_24", "worth_36"), whole, strict=True):
            theirs[name] = [one if known else None for one, known in zip(column.tolist(), told.tolist(), strict=True)]
        theirs["worth_step"] = np.where(told, _worth_steps(document, whole[0]), 0).tolist()
    return theirs


def _rfm(people: Everybody, document: dict[str, Any]) -> Int64s:
    """Three classes as one number: 545 is recency 5, frequency 4, monetary value 5."""
    values = (people.silent_days, people.known[people.until].repeats + 1, people.revenue)
    found = np.zeros(len(people.customer), np.int64)
    for name, column in zip(_NAMES, values, strict=True):
        classes = classes_of(document, name)
        found = found * 10 + (classes.classes(column) if classes is not None else (CLASSES + 1) // 2)
    return found


def _finish(scoring: Scoring) -> None:
    """Make the scores those that are shown, and let those go that nobody asks for again."""
    scoring.customers -= len(forget_in(scoring=scoring, latest=latest_erasure()))
    counts: dict[str, dict[str, int]] = {"rfm": {}, "alive": {}, "risk": {}, "worth": {}}
    for what, which, customers in sql.rows("analytics/value_counts", scoring=scoring.pk):
        counts[what][str(which)] = customers
    scoring.document["counts"] = counts
    sums = {name: Sum(name) for name in ("alive", "worth_12", "worth_24", "worth_36")}
    # SUM of bigint is numeric, which JSON does not know.
    found = Score.objects.filter(scoring=scoring.pk).aggregate(**sums)
    told = {name: None if one is None else int(one) for name, one in found.items() if name != "alive"}
    if not scoring.document["contracts"].get("adds_worth", True):
        told = dict.fromkeys(told)
    scoring.document["totals"] = {"alive": found["alive"], **told}
    before = latest_scoring()
    if before is None or before.as_of <= scoring.as_of:
        since = None if before is None else before.started_at.isoformat()
        scoring.document["telling"] = {"cause": int(cause_of(scoring=scoring, before=before)), "since": since}
        scoring.next_told = 0
    scoring.state, scoring.done_at = Scoring.State.DONE, clock()
    scoring.save()
    done = Scoring.objects.filter(state=Scoring.State.DONE)
    latest = done.aggregate(day=Max("as_of"))["day"]
    kept = {one.as_of: one.pk for one in done.order_by("pk") if one.as_of == latest or _ends_month(one.as_of)}
    _forget(done.exclude(pk__in=kept.values()).values_list("pk", flat=True))


def _ends_month(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def _forget(scorings: Sequence[int] | Any) -> None:
    old = list(scorings)
    Score.objects.filter(scoring__in=old).delete()
    Scoring.objects.filter(pk__in=old).delete()

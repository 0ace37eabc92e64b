"""A whole simulation: who is there stays, who is missing is stored by any number of processes, then tables are vacuumed
and stages computed by one replay. Stopped anywhere, the same command goes on; finished, it changes nothing."""

import hashlib
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, connections, transaction

from clm.lib.milliseconds import to_ms
from customers import catalogue
from customers.models import Cause, Import, Installation, Source
from lifecycle.replay import replay_all

from ..days.fill import forget
from . import worker
from .bulk import Order, portions, store_portion
from .histories import channels
from .kinds import shapes
from .messages import Money
from .parameters import Parameters
from .spend import add_spend
from .timeline import Span

SOURCE = "simulator"
FORMAT = 1  # of what a seed means; another generator is another format
MOST_PEOPLE = 100_000_000
MOST_SEED = 2**31 - 1
EARLIEST = date(1995, 1, 1)
# What a bulk load leaves behind for the planner and for index-only scans.
_FILLED = (
    "customers_customer", "customers_profile", "customers_identity", "customers_touchpoint", "customers_orderline",
    "customers_propertyvalue", "customers_trait", "customers_consent", "customers_merge", "customers_mergedprofile",
    "customers_profilemove",
)  # fmt: skip
Tell = Callable[[str], None]


class SimulationRefused(ValueError):  # noqa: N818 told to people
    """This cannot be simulated here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What one run did. counts: what was stored, by name; computed: customers whose stages were computed."""

    record: Import
    counts: dict[str, int]
    computed: int

    @property
    def rows_changed(self) -> int:
        return self.counts.get("rows_changed", 0)


def simulated_source() -> Source:
    """Where everything simulated comes from."""
    defaults = {"name": "Simulator", "kind": "simulator", "is_simulated": True}
    return Source.objects.get_or_create(key=SOURCE, defaults=defaults)[0]


def simulate(
    *,
    people: int,
    seed: int,
    until: date | None = None,
    years: int | None = None,
    processes: int = 1,
    now: datetime,
    tell: Tell,
    computes_stages: bool = True,
    vacuums: bool = True,
    parameters: Parameters | None = None,
) -> Simulated:
    """Simulate `people` customers of a seed over `years` (2) that end with the day before `until` (today, UTC). The
    first run of a seed fixes both; a later one may add people. vacuums False: within a transaction, where nothing can
    be vacuumed. Raises SimulationRefused."""
    parameters = parameters or Parameters()
    _check(people, seed, until, years, processes, now)
    record = _record(seed, until, years, parameters, now)
    told = record.mapping["simulated"]
    end, span_years = date.fromisoformat(told["until"]), told["years"]
    installation = Installation.current()
    span = Span(
        start=to_ms(_midnight(_years_before(end, span_years))),
        until=to_ms(_midnight(end)),
        minor=10**installation.minor_digits,
    )
    with transaction.atomic():
        ways = tuple(way.channel for way in parameters.ways)
        catalogue.type_ids(shape.type for shape in shapes(ways).values())
        catalogue.channel_ids(channels(parameters))
    order = Order(
        parameters=parameters,
        seed=seed,
        span=span,
        people=people,
        source=record.source_id,
        account=record.pk,
        money=Money(installation.currency, installation.minor_digits),
    )
    counts = _store(order, processes, tell)
    has_more = bool(counts["customers_new"])
    # Another seed's people cost something too, and an earlier run may have had more.
    everybody = max(people, told["people"])
    first = _years_before(end, span_years)
    counts["rows_changed"] += add_spend(
        parameters=parameters, seed=seed, people=everybody, first=first, last=end - timedelta(days=1)
    )
    if has_more or record.progress.get("phase") == "storing":
        # What arrived in the past, as simulated, is in no figure that was counted up to now.
        while not forget():
            time.sleep(1.0)
        if vacuums:
            tell("Vacuuming, so that every replay can read the index alone")
            _vacuum()
        _note(record, phase="stored", people=everybody)
    computed = 0
    record.refresh_from_db()
    if computes_stages and record.progress["phase"] == "stored":
        tell("Computing every customer's stages over time")
        computed = _compute(processes)
        _note(record, phase="computed", people=everybody)
    return Simulated(record, dict(counts), computed)


def _check(people: int, seed: int, until: date | None, years: int | None, processes: int, now: datetime) -> None:
    if not 1 <= people <= MOST_PEOPLE:
        raise SimulationRefused(f"the number of customers must lie between 1 and {MOST_PEOPLE:,}")
    if not 0 <= seed <= MOST_SEED:
        raise SimulationRefused(f"the seed must lie between 0 and {MOST_SEED:,}")
    if years is not None and not 1 <= years <= 20:
        raise SimulationRefused("the years must lie between 1 and 20")
    if not 1 <= processes <= 64:
        raise SimulationRefused("the number of processes must lie between 1 and 64")
    if until is not None and until > now.astimezone(UTC).date():
        raise SimulationRefused(f"nothing can be simulated that lies ahead: {until} is after today (UTC)")
    if until is not None and _years_before(until, years or 2) < EARLIEST:
        raise SimulationRefused(f"the simulated time would begin before {EARLIEST}")


@transaction.atomic
def _record(seed: int, until: date | None, years: int | None, parameters: Parameters, now: datetime) -> Import:
    """The account of the seed, made by its first run."""
    source = simulated_source()
    installation = Installation.current()
    # Two first runs of one seed take turns.
    Source.objects.select_for_update().get(pk=source.pk)
    # As JSON gives them back: lists instead of tuples.
    known = json.loads(json.dumps(parameters.document()))
    record = Import.objects.filter(source=source, mapping__simulated__seed=seed).first()
    if record is None:
        document = {
            "seed": seed,
            "until": (until or now.astimezone(UTC).date()).isoformat(),
            "years": years or 2,
            "people": 0,
            "format": FORMAT,
            "currency": installation.currency,
            "minor_digits": installation.minor_digits,
            "parameters": known,
        }
        text = json.dumps(document, sort_keys=True)
        return Import.objects.create(
            source=source,
            file_name=f"Simulated customers, seed {seed}",
            file_sha256=hashlib.sha256(text.encode()).hexdigest(),
            file_bytes=0,
            mapping={"simulated": document},
            state=Import.State.RUNNING,
            progress={"phase": "storing"},
        )
    document = record.mapping["simulated"]
    asked: dict[str, Any] = {
        "until": until and until.isoformat(),
        "years": years,
        "format": FORMAT,
        "currency": installation.currency,
        "minor_digits": installation.minor_digits,
        "parameters": known,
    }
    for name, value in asked.items():
        if value is not None and value != document[name]:
            said = "other parameters" if name == "parameters" else f"{name.replace('_', ' ')} {document[name]}"
            raise SimulationRefused(f"seed {seed} was simulated with {said}; take another --seed, or leave that out")
    return record


def _note(record: Import, *, phase: str, people: int) -> None:
    with transaction.atomic():
        record = Import.objects.select_for_update().get(pk=record.pk)
        record.progress = {"phase": phase}
        record.mapping["simulated"]["people"] = people
        record.state, record.finished_at = Import.State.DONE, record.finished_at or datetime.now(UTC)
        record.save(update_fields=["progress", "mapping", "state", "finished_at"])


def _store(order: Order, processes: int, tell: Tell) -> Counter[str]:
    counts: Counter[str] = Counter()
    count = portions(order.people)
    for done, stored in enumerate(_stored(order, processes, count), start=1):
        counts.update(stored)
        tell(
            f"portion {done:,} of {count:,}: {counts['customers_new']:,} customers and "
            f"{counts['touchpoints_new']:,} touchpoints are new"
        )
    return counts


def _stored(order: Order, processes: int, count: int) -> Iterator[dict[str, int]]:
    """What became of each portion, as they are finished."""
    processes = min(processes, count)
    if processes == 1:
        for number in range(count):
            yield store_portion(order=order, number=number)
        return
    with _pool(processes) as pool:
        waiting = [pool.submit(store_portion, order=order, number=number) for number in range(count)]
        for done in as_completed(waiting):
            yield done.result()


def _pool(processes: int) -> ProcessPoolExecutor:
    connections.close_all()  # nothing of this process may be shared with another
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"), initializer=worker.begin)


def _compute(processes: int) -> int:
    """A first computation: everybody, whole buckets at a time; every process takes what is left."""
    if processes == 1:
        return replay_all(cause=Cause.IMPORT).customers
    with _pool(processes) as pool:
        shares = [pool.submit(replay_all, cause=Cause.IMPORT) for _each in range(processes)]
        return max(share.result().customers for share in shares)


def _vacuum() -> None:
    with connection.cursor() as cursor:
        for table in _FILLED:
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _years_before(day: date, years: int) -> date:
    """The same day that many years earlier; the 28th of February where it has no 29th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)

"""Counts before a decision: what a revision would change, or for whom a rule holds, estimated from a sample and then
counted over all customers. Each bucket is one transaction that ends with the mark that it is done, so any number of
processes share a count, and a killed one is taken up where it stopped. Nothing but the count itself is written."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.columns import fetch_columns
from clm.lib.milliseconds import truncated, written
from clm.lib.periods import DEFAULT_PRESET, preset
from clm.lib.questions import ConflictError
from customers.ingest import clock
from customers.models import Installation
from customers.named_properties import Filling, fillings, register_properties

from .load import load
from .models import Preview, PreviewBucket, Revision
from .rules.document import RuleError, stored_document
from .rules.evaluate import NO_LIFE, Program
from .sample import sampled
from .what_if import Pair, Tally, cells_of, holds_at, pairs_of, program_of, rule_node, rule_program, tallies

log = logging.getLogger(__name__)

# The place in a result of what is counted of a rule: stage 1 is that it holds, 0 that it does not.
RULE = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """What a change does to customers at the instant `at`. customers: how many there are in all; sampled: how many of
    them were looked at; tallies: by subject (RULE for a rule), over those looked at. since: where the period begins
    that retention is about. filling: properties of which not all values are kept yet; of those looked at they were read
    from the touchpoints themselves."""

    at: datetime
    since: datetime
    customers: int
    sampled: int
    is_exact: bool
    tallies: dict[int, Tally]
    filling: tuple[Filling, ...] = ()

    def written(self) -> dict[str, Any]:
        """As JSON keeps it, but for what was being filled in then."""
        return {
            "at": written(self.at),
            "since": written(self.since),
            "customers": self.customers,
            "sampled": self.sampled,
            "is_exact": self.is_exact,
            "subjects": {str(subject): tally.written() for subject, tally in self.tallies.items()},
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Counted":
        return cls(
            at=datetime.fromisoformat(document["at"]),
            since=datetime.fromisoformat(document["since"]),
            customers=document["customers"],
            sampled=document["sampled"],
            is_exact=document["is_exact"],
            tallies={int(subject): Tally.read(one) for subject, one in document["subjects"].items()},
        )


@dataclass(frozen=True, slots=True)
class PreviewProgress:
    """How far an exact count is. customers: of whom those counted so far are part."""

    buckets: int
    done: int
    customers: int


# --- from a sample, while somebody waits ----------------------------------------------------------------------------
def estimated_change(*, revision: int, now: datetime) -> Counted:
    """What a revision that is not live yet would change, for a sample of customers."""
    pairs, at, since = pairs_of(revision=revision), truncated(now), _since(now)
    program = program_of(pairs)
    filling = _filling(program)
    sample = sampled(program=program)
    found = tallies(pairs=pairs, loaded=sample.loaded, at=at, since=since, only=sample.alive)
    return Counted(at, since, sample.customers, sample.size, sample.is_everybody, found, filling)


def estimated_rule(*, rule: object, now: datetime, path: str = "$", of: tuple[str, str] | None = None) -> Counted:
    """For whom of a sample of customers a rule holds. RuleError names what is wrong with it."""
    at, program = truncated(now), rule_program(node=rule_node(rule=rule, path=path, of=of))
    filling = _filling(program)
    sample = sampled(program=program)
    holds = holds_at(program=program, loaded=sample.loaded, at=at)[sample.alive].astype(np.int64)
    tally = cells_of(sample.loaded.customers[sample.alive], np.zeros_like(holds), holds)
    return Counted(at, at, sample.customers, sample.size, sample.is_everybody, {RULE: tally}, filling)


# --- for everybody --------------------------------------------------------------------------------------------------
@transaction.atomic
def start_preview(*, revision: int, author: int | None = None, now: datetime) -> Preview:
    """The exact count of what a revision would change: the one that is kept or under way, or a new one."""
    found = Revision.objects.select_for_update(no_key=True).get(pk=revision)
    if found.published_at is not None:
        raise ConflictError(_("This change is live already."))
    known = latest_preview(revision=revision)
    pairs = [[pair.subject, pair.before, pair.after] for pair in pairs_of(revision=revision)]
    if known is not None and known.failed_at is None and known.pairs == pairs:
        return known
    return _start(revision=found, rule=None, pairs=pairs, author=author, now=now)


@transaction.atomic
def start_rule_count(*, rule: object, path: str = "$", author: int | None = None, now: datetime) -> Preview:
    """The exact count of those for whom a rule holds. RuleError names what is wrong with it, from `path` on."""
    rule_node(rule=rule, path=path)
    return _start(revision=None, rule=stored_document(rule), pairs=[], author=author, now=now)


def latest_preview(*, revision: int) -> Preview | None:
    """The exact count asked for last."""
    return Preview.objects.filter(revision=revision).order_by("-pk").first()


def counted(*, preview: Preview) -> Counted | None:
    """What an exact count found; None while it is not finished."""
    if preview.result is None:
        return None
    read = {int(subject): Tally.read(one) for subject, one in preview.result["subjects"].items()}
    customers = preview.result["customers"]
    return Counted(preview.at, preview.since, customers, customers, True, read)


def preview_progress(*, preview: Preview) -> PreviewProgress:
    """How far it is; a finished one has no buckets left to tell of."""
    rows = list(PreviewBucket.objects.filter(preview=preview).values_list("done_at", "customers"))
    return PreviewProgress(
        buckets=len(rows),
        done=sum(done_at is not None for done_at, _customers in rows),
        customers=sum(customers for _done_at, customers in rows),
    )


def filled_in_first(*, preview: Preview) -> tuple[Filling, ...]:
    """The properties whose values are still to be filled in before an exact count can begin."""
    if preview.finished_at is not None or preview.failed_at is not None:
        return ()
    try:
        _pairs, program = _asked(preview)
    except RuleError:  # what it names has gone since; whoever counts says so
        return ()
    return _filling(program)


def filled_in_before_live(*, revision: int) -> tuple[Filling, ...]:
    """The properties whose values are still to be filled in before a revision can be computed for everybody."""
    return _filling(program_of(pairs_of(revision=revision)))


def _filling(program: Program | None) -> tuple[Filling, ...]:
    return () if program is None else fillings(keys=program.property_keys)


def touched_since(*, preview: Preview) -> int:
    """Of how many customers something new is known since the count, so that it may no longer be right for them."""
    subjects = [subject for subject, _before, _after in preview.pairs]
    ((customers,),) = sql.rows("lifecycle/touched_since", at=preview.at, subjects=subjects)
    return int(customers)


def work_on_previews(*, seconds: float = float("inf")) -> int:
    """Do buckets of unfinished previews, the oldest first, for about so long; how many were done."""
    until, done = time.monotonic() + seconds, 0
    for preview in Preview.objects.filter(finished_at=None, failed_at=None).order_by("pk"):
        try:
            done += _work_on(preview, until)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("preview %d failed", preview.pk)
            said = str(error) if isinstance(error, RuleError | ConflictError) else type(error).__name__
            Preview.objects.filter(pk=preview.pk).update(failed_at=clock(), error=said[:1000])
        if time.monotonic() > until:
            break
    return done


def _work_on(preview: Preview, until: float) -> int:
    pairs, program = _asked(preview)
    if program is not None:
        register_properties(keys=program.property_keys, now=clock())
    done = 0
    while time.monotonic() <= until and _next_bucket(preview, pairs, program):
        done += 1
    _finish(preview)
    return done


def _asked(preview: Preview) -> tuple[list[Pair], Program | None]:
    if preview.revision_id is None:
        return [], rule_program(node=rule_node(rule=preview.rule))
    pairs = [Pair(*pair) for pair in preview.pairs]
    return pairs, program_of(pairs)


def _next_bucket(preview: Preview, pairs: list[Pair], program: Program | None) -> bool:
    """Do one bucket that nobody is doing; false when none is left to take."""
    with transaction.atomic():
        taken = (
            PreviewBucket.objects.select_for_update(skip_locked=True)
            .filter(preview=preview, done_at=None)
            .order_by("bucket")
            .first()
        )
        if taken is None:
            return False
        first = taken.bucket * settings.CLM_BUCKET_SIZE
        last = first + settings.CLM_BUCKET_SIZE - 1
        inside = fetch_columns("lifecycle/bucket_customers", {"customer": "q"}, first=first, last=last)["customer"]
        loaded = load(customers=inside, program=program)
        alive = np.flatnonzero(loaded.facts.life != NO_LIFE)
        if preview.revision_id is None:
            assert program is not None
            holds = holds_at(program=program, loaded=loaded, at=preview.at)[alive].astype(np.int64)
            found = {RULE: cells_of(loaded.customers[alive], np.zeros_like(holds), holds)}
        else:
            found = tallies(pairs=pairs, loaded=loaded, at=preview.at, since=preview.since, only=alive)
        taken.customers, taken.done_at = len(alive), clock()
        taken.result = {str(subject): tally.written() for subject, tally in found.items()}
        taken.save()
    return True


@transaction.atomic
def _finish(preview: Preview) -> None:
    """Add the buckets up if every one is done."""
    locked = Preview.objects.select_for_update().filter(pk=preview.pk, finished_at=None).first()
    if locked is None or PreviewBucket.objects.filter(preview=preview, done_at=None).exists():
        return
    sums: dict[str, Tally] = {}
    customers = 0
    buckets = PreviewBucket.objects.filter(preview=preview)
    for result, count in buckets.order_by("bucket").values_list("result", "customers").iterator():
        customers += count
        for subject, document in (result or {}).items():
            sums.setdefault(subject, Tally()).add(Tally.read(document))
    locked.result = {"customers": customers, "subjects": {subject: one.written() for subject, one in sums.items()}}
    locked.finished_at = clock()
    locked.save(update_fields=["result", "finished_at"])
    buckets.delete()


def _start(
    *, revision: Revision | None, rule: Any, pairs: list[list[Any]], author: int | None, now: datetime
) -> Preview:
    preview = Preview.objects.create(
        revision=revision, rule=rule, pairs=pairs, at=truncated(now), since=_since(now), author_id=author
    )
    sql.run("lifecycle/preview_buckets_add", preview=preview.pk, size=settings.CLM_BUCKET_SIZE).close()
    return preview


def _since(now: datetime) -> datetime:
    """Where the period begins that pages show unless told otherwise."""
    return preset(key=DEFAULT_PRESET, now=now, zone=Installation.current().time_zone).start_at

"""From evaluated spells to stored history: what is no longer believed, what is new, where customers stand, when
they are due, and what there is to tell. Compares first and writes only differences: the same facts again write
nothing. The caller holds the customers' locks and commits."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from clm.lib import sql
from clm.lib.columns import Columns, store_columns
from clm.lib.milliseconds import from_ms, to_ms, truncated
from customers.models import Cause

from .announce import Telling, announce
from .ids import Ids
from .live import Live, LiveSubject
from .load import Loaded
from .rules.evaluate import FOREVER, NO_LIFE, Spells

Int64s = npt.NDArray[np.int64]

# Bits of an instant: milliseconds from 1990 to 2200 fit 43.
_INSTANT_BITS = 43
_NEVER_TOLD = -(2**62)


@dataclass(slots=True)
class Written:
    """How many rows were added, superseded, moved or removed; those of customers whom time alone changed apart."""

    rows: int = 0
    rows_by_time: int = 0
    announced: int = 0


@dataclass(slots=True)
class _Differences:
    """Rows to write for one subject; owners are indices into the loaded customers."""

    added: tuple[Int64s, Int64s, Int64s]  # owner, stage, at
    gone: tuple[Int64s, Int64s]  # owner, at


def rewrite(
    *,
    loaded: Loaded,
    live: Live,
    spells: list[Spells],
    causes: Int64s,
    by_time: npt.NDArray[np.bool_],
    dues: Int64s,
    now: datetime,
    news_since: datetime,
) -> Written:
    """Write what `spells` say about the loaded customers at `now`. causes[i] is the Cause of customer i, by_time[i]
    whether nothing but time speaks for looking at it, dues[i] when it is due, FOREVER for never."""
    ids, at_ms = loaded.customers, to_ms(now)
    believed = _by_part(
        loaded.ids.fetch(
            "lifecycle/believed",
            {"part": "i", "at": "t", "stage": "i"},
            versions=[subject.version for subject in live.subjects],
        ),
        [subject.version for subject in live.subjects],
    )
    standings = _by_part(
        loaded.ids.fetch(
            "lifecycle/standings",
            {"part": "i", "stage": "i", "since": "t", "told_stage": "i", "told_until": "t"},
            subjects=[subject.subject for subject in live.subjects],
        ),
        [subject.subject for subject in live.subjects],
    )
    writer = _Writer(ids=ids, causes=causes, by_time=by_time, now=now)
    tellings: list[Telling] = []
    soonest = np.full(len(ids), FOREVER)
    for subject, found in zip(live.subjects, spells, strict=True):
        stages = np.array(subject.stages, np.int64)[found.stage]
        past = found.at <= at_ms
        owner, at, stage = found.owner[past], found.at[past], stages[past]
        ahead = ~past
        np.minimum.at(soonest, found.owner[ahead], found.at[ahead])
        differences = _differences(owner, at, stage, believed.get(subject.version))
        writer.transitions(subject, differences)
        if subject.stands:
            tellings += writer.standings(
                subject, owner, at, stage, standings.get(subject.subject), differences, loaded.facts.life != NO_LIFE
            )
    written = writer.flush()
    _set_dues(ids, dues, soonest, at_ms)
    written.announced = announce(tellings=tellings, now=now, news_since=news_since)
    return written


def _by_part(columns: Columns, parts: list[int]) -> dict[int, Columns]:
    """Split rows by version or subject, each in order of owner and instant."""
    known = np.unique(parts)
    rank = np.searchsorted(known, columns.pop("part")).astype(np.int16)
    order = np.argsort(rank, kind="stable")  # linear for small integers
    ends = np.cumsum(np.bincount(rank, minlength=len(known))).tolist()
    time = "at" if "at" in columns else "since"
    found: dict[int, Columns] = {}
    for number, begin, end in zip(known.tolist(), [0, *ends], ends, strict=False):
        if begin == end:
            continue
        part = {name: column.take(order[begin:end]) for name, column in columns.items()}
        line = _line(part["owner"], part[time])
        if (line[1:] < line[:-1]).any():  # an index scan nearly always gives this order already
            again = np.argsort(line)
            part = {name: column[again] for name, column in part.items()}
        found[number] = part
    return found


def _line(owner: Int64s, at: Int64s) -> Int64s:
    return (owner << _INSTANT_BITS) + at


def _differences(owner: Int64s, at: Int64s, stage: Int64s, believed: Columns | None) -> _Differences:
    """What to add and what to stop believing, so that the believed rows become (owner, at, stage)."""
    nothing = np.empty(0, np.int64)
    if believed is None:
        return _Differences((owner, stage, at), (nothing, nothing))
    old_owner, old_at, old_stage = believed["owner"], believed["at"], believed["stage"]
    if (
        len(owner) == len(old_owner)
        and (at == old_at).all()
        and (stage == old_stage).all()
        and (owner == old_owner).all()
    ):
        return _Differences((nothing, nothing, nothing), (nothing, nothing))
    line, old_line = _line(owner, at), _line(old_owner, old_at)
    place = np.searchsorted(old_line, line)
    known = np.zeros(len(line), bool)
    within = place < len(old_line)
    known[within] = (old_line[place[within]] == line[within]) & (old_stage[place[within]] == stage[within])
    kept = np.zeros(len(old_line), bool)
    kept[place[known]] = True
    return _Differences((owner[~known], stage[~known], at[~known]), (old_owner[~kept], old_at[~kept]))


class _Writer:
    """Gathers the rows of all subjects and writes each table once."""

    def __init__(self, *, ids: Int64s, causes: Int64s, by_time: npt.NDArray[np.bool_], now: datetime) -> None:
        self.ids, self.causes, self.by_time, self.now = ids, causes, by_time, now
        self._added: list[Columns] = []
        self._gone: list[tuple[Int64s, int, Int64s]] = []
        self._new_standings: list[Columns] = []
        self._moved: list[Columns] = []
        self._ended: list[tuple[Int64s, int]] = []
        self._owners: list[Int64s] = []  # of every row written, to count

    def transitions(self, subject: LiveSubject, differences: _Differences) -> None:
        owner, stage, at = differences.added
        if len(owner):
            self._owners.append(owner)
            self._added.append(
                {
                    "customer_id": self.ids[owner],
                    "version_id": np.full(len(owner), subject.version),
                    "stage_id": stage,
                    "entered_at": at,
                    "cause": self.causes[owner],
                }
            )
        gone_owner, gone_at = differences.gone
        if len(gone_owner):
            self._owners.append(gone_owner)
            self._gone.append((self.ids[gone_owner], subject.version, gone_at))

    def standings(
        self,
        subject: LiveSubject,
        owner: Int64s,
        at: Int64s,
        stage: Int64s,
        stored: Columns | None,
        differences: _Differences,
        alive: npt.NDArray[np.bool_],
    ) -> list[Telling]:
        """Compare where customers stand now with what is stored, and find what to tell. alive[i]: customer i has a
        life; one left without profiles loses its standings without a word."""
        count = len(self.ids)
        last = np.flatnonzero(np.append(owner[1:] != owner[:-1], len(owner) > 0))[: len(owner)]
        now_stage, now_since = np.zeros(count, np.int64), np.zeros(count, np.int64)
        now_stage[owner[last]], now_since[owner[last]] = stage[last], at[last]
        was = {name: np.zeros(count, np.int64) for name in ("stage", "since", "told_stage", "told_until")}
        if stored is not None:
            for name, column in was.items():
                column[stored["owner"]] = stored[name]
        new = np.flatnonzero((now_stage != 0) & (was["stage"] == 0))
        gone = np.flatnonzero((now_stage == 0) & (was["stage"] != 0))
        both = (now_stage != 0) & (was["stage"] != 0)
        moved = both & ((now_stage != was["stage"]) | (now_since != was["since"]))
        # History may have changed between what was told and now, though the customer stands where it stood.
        added_owner, _stage, added_at = differences.added
        reopened = added_owner[added_at > was["told_until"][added_owner]]
        moved[reopened[both[reopened]]] = True
        moved_owners = np.flatnonzero(moved)
        # A first computation is silent; what somebody decides by hand is none.
        first = (self.causes[new] >= Cause.IMPORT) & (self.causes[new] != Cause.PLACEMENT)
        silent = first | (not subject.is_live)
        quiet, heard = new[silent], new[~silent]
        tellings: list[Telling] = []
        told_stage, told_until = now_stage.copy(), now_since.copy()
        told_until[quiet] = to_ms(self.now)

        def telling_of(one: int, *, first: bool = False) -> Telling:
            return Telling(
                customer=int(self.ids[one]),
                subject=subject.subject,
                version=subject.version,
                cause=Cause(int(self.causes[one])),
                told_stage=None if first else int(was["told_stage"][one]),
                told_until=_NEVER_TOLD if first else int(was["told_until"][one]),
            )

        # While a subject is being built there is nobody to tell.
        followed = np.concatenate((heard, moved_owners)) if subject.is_live else np.empty(0, np.int64)
        starts = np.searchsorted(owner, followed)
        for place, (one, start) in enumerate(zip(followed.tolist(), starts.tolist(), strict=True)):
            telling = telling_of(one, first=place < len(heard))
            end = int(np.searchsorted(owner, one, "right"))
            telling.follow(list(zip(at[start:end].tolist(), stage[start:end].tolist(), strict=True)))
            tellings.append(telling)
            assert telling.told_stage is not None
            told_stage[one], told_until[one] = telling.told_stage, telling.told_until
        for one in gone[alive[gone]].tolist() if subject.is_live else ():
            telling = telling_of(one)
            telling.leave(subject.outside, int(was["since"][one]))
            tellings.append(telling)
        rows = np.sort(np.concatenate((quiet, heard)))
        self._new_standings.append(self._standing_rows(subject, rows, now_stage, now_since, told_stage, told_until))
        self._moved.append(self._standing_rows(subject, moved_owners, now_stage, now_since, told_stage, told_until))
        self._ended.append((self.ids[gone], subject.subject))
        self._owners += [rows, moved_owners, gone]
        return [telling for telling in tellings if telling.news]

    def _standing_rows(
        self,
        subject: LiveSubject,
        owners: Int64s,
        stage: Int64s,
        since: Int64s,
        told_stage: Int64s,
        told_until: Int64s,
    ) -> Columns:
        return {
            "customer_id": self.ids[owners],
            "subject_id": np.full(len(owners), subject.subject),
            "stage_id": stage[owners],
            "since": since[owners],
            "told_stage_id": told_stage[owners],
            "told_until": told_until[owners],
        }

    def flush(self) -> Written:
        if self._gone:
            sql.run(
                "lifecycle/transitions_supersede",
                customers=[int(one) for customers, _version, _at in self._gone for one in customers],
                versions=[version for customers, version, _at in self._gone for _one in customers],
                entered=[from_ms(one) for _customers, _version, at in self._gone for one in at.tolist()],
                now=truncated(self.now),
            ).close()
        added = _joined(self._added)
        if added is not None:
            # Every version brings its rows in order; runs are merged by the stable sort, and indices fill from left to
            # right. Versions of one customer lie one after the other.
            order = np.argsort(added["customer_id"], kind="stable")
            added = {name: column[order] for name, column in added.items()}
            # The same instant ends the belief in what they replace.
            added["recorded_at"] = np.full(len(order), to_ms(self.now))
            store_columns(
                "lifecycle_transition",
                {
                    "customer_id": "q",
                    "version_id": "i",
                    "stage_id": "i",
                    "entered_at": "t",
                    "recorded_at": "t",
                    "cause": "h",
                },
                added,
            )
        self._flush_standings()
        written = Written()
        for owners in self._owners:
            by_time = int(self.by_time[owners].sum())
            written.rows += len(owners) - by_time
            written.rows_by_time += by_time
        return written

    def _flush_standings(self) -> None:
        ended = [(int(one), subject) for customers, subject in self._ended for one in customers]
        if ended:
            sql.run(
                "lifecycle/standings_end",
                customers=[customer for customer, _subject in ended],
                subjects=[subject for _customer, subject in ended],
            ).close()
        moved = _joined(self._moved)
        if moved is not None:
            order = np.lexsort((moved["subject_id"], moved["customer_id"]))
            sql.run(
                "lifecycle/standings_change",
                customers=moved["customer_id"][order].tolist(),
                subjects=moved["subject_id"][order].tolist(),
                stages=moved["stage_id"][order].tolist(),
                since=[from_ms(one) for one in moved["since"][order].tolist()],
                told_stages=moved["told_stage_id"][order].tolist(),
                told_until=[from_ms(one) for one in moved["told_until"][order].tolist()],
            ).close()
        new = _joined(self._new_standings)
        if new is not None:
            order = np.lexsort((new["subject_id"], new["customer_id"]))
            store_columns(
                "lifecycle_standing",
                {
                    "customer_id": "q",
                    "subject_id": "i",
                    "stage_id": "i",
                    "since": "t",
                    "told_stage_id": "i",
                    "told_until": "t",
                },
                {name: column[order] for name, column in new.items()},
            )


def _joined(parts: list[Columns]) -> Columns | None:
    parts = [part for part in parts if len(part["customer_id"])]
    if not parts:
        return None
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def due_instants(ids: Ids) -> Int64s:
    """When each of the customers is due; FOREVER: never."""
    stored = ids.fetch("lifecycle/dues", {"due": "t"})
    due = np.full(len(ids), FOREVER)
    due[stored["owner"]] = stored["due"]
    return due


def _set_dues(ids: Int64s, was: Int64s, soonest: Int64s, now_ms: int) -> None:
    """Move due dates: earlier at once, later only when the stored one has passed."""
    fired = was <= now_ms
    move = (soonest < was) | (fired & (soonest != FOREVER))
    new = move & (was == FOREVER)
    rows = {"customer_id": ids[new], "due_at": soonest[new]}
    store_columns("lifecycle_due", {"customer_id": "q", "due_at": "t"}, rows)
    move &= ~new
    if move.any():
        sql.run(
            "lifecycle/dues_set",
            customers=ids[move].tolist(),
            dues=[from_ms(one) for one in soonest[move].tolist()],
        ).close()
    gone = ids[fired & (soonest == FOREVER)]
    if len(gone):
        sql.run("lifecycle/dues_end", customers=gone.tolist()).close()

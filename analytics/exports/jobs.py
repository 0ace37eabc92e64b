"""Files that are made while nobody waits for them. The row is the work (`analytics.models.Export`): it is claimed with
a lease, the file is written under a name of its own for each attempt and gets its final name when it is whole. Whoever
is killed leaves a row whose lease runs out and half a file that is swept away; the next one starts over, with a new
view of the data, since half of one view and half of another would be no answer to any question."""

import os
import secrets
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from clm.lib.access.models import ApiKey, User
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.ingest import clock
from customers.models import Erasure

from ..models import Export
from .formats import pieces
from .parquet import write_parquet
from .questions import table_of
from .snapshot import beside_the_snapshot, snapshot
from .tables import Table
from .workbook import Workbook

LEASE = timedelta(seconds=60)
ASSEMBLING = timedelta(minutes=20)
TRIES = 3
# How far one is, is written down this often; it also renews the lease.
_NOTE_SECONDS = 2.0
# So many files one person may have waiting at once.
MOST_WAITING = 10


class _TakenAwayError(Exception):
    """Somebody stopped the export, or another process has it by now."""


def folder() -> Path:
    """Where the files lie. Workers and web servers of one installation share it."""
    made = Path(settings.MEDIA_ROOT) / "exports"
    made.mkdir(mode=0o700, parents=True, exist_ok=True)
    return made


def of(who: User | ApiKey) -> Q:
    """The exports of whoever asks: nobody meets those of somebody else."""
    return Q(user=who.pk) if isinstance(who, User) else Q(key=who.pk)


def noted(
    *,
    who: User | ApiKey,
    subject: str,
    format: str,
    dialect: str,
    question: str,
    byte_order_mark: bool,
    now: datetime,
    state: str = Export.State.WAITING,
) -> Export:
    """Write down that a file is asked for; `state` streamed: that it is being sent already."""
    if state == Export.State.WAITING:
        open_ones = Export.objects.filter(of(who), state__in=[Export.State.WAITING, Export.State.RUNNING])
        if open_ones.count() >= MOST_WAITING:
            raise ConflictError(
                _("You have %(most)s files waiting already. Wait for one, or stop one.") % {"most": MOST_WAITING}
            )
    return Export.objects.create(
        user=who if isinstance(who, User) else None,
        key=who if isinstance(who, ApiKey) else None,
        asked_by=str(who.email if isinstance(who, User) else who.name)[:254],
        asked_at=now,
        subject=subject,
        format=format,
        dialect=dialect,
        question=question,
        byte_order_mark=byte_order_mark,
        state=state,
        as_of=now if state == Export.State.STREAMED else None,
    )


def refuse_unmakeable(*, subject: str, dialect: str, question: str, now: datetime) -> None:
    """Raise what making the file would, before anybody is told that it is being made."""
    with snapshot():
        next(table_of(subject=subject, dialect=dialect, question=question, now=now).portions, None)


# --- making ---------------------------------------------------------------------------------------------------
def claimable(now: datetime) -> Q:
    """What nobody is at work on: waiting, or left behind by a process that is gone."""
    return Q(state=Export.State.WAITING) | Q(state=Export.State.RUNNING, lease_until__lt=now)


def has_work(*, now: datetime) -> bool:
    """Whether an export waits and there is room for one more process to work on it."""
    busy = Export.objects.filter(state=Export.State.RUNNING, lease_until__gte=now).count()
    return busy < settings.CLM_EXPORTS_AT_ONCE and Export.objects.filter(claimable(now)).exists()


def make_waiting(*, note_seconds: float = _NOTE_SECONDS) -> int:
    """Make one file after the other until none waits; how many became ready."""
    made = 0
    while (export := _claim(now=clock())) is not None:
        made += _made(export, note_seconds)
    return made


def _claim(*, now: datetime) -> Export | None:
    with transaction.atomic():
        if not has_work(now=now):
            return None
        waiting = Export.objects.select_for_update(skip_locked=True).filter(claimable(now)).order_by("pk").first()
        if waiting is None:
            return None
        if waiting.attempt >= TRIES:
            said = _("It was begun %(tries)s times and never finished; something kills whoever makes it.")
            waiting.state, waiting.error = Export.State.FAILED, said % {"tries": TRIES}
            waiting.finished_at = now
        else:
            waiting.state, waiting.attempt = Export.State.RUNNING, waiting.attempt + 1
            waiting.lease_until, waiting.rows, waiting.size, waiting.total = now + LEASE, 0, 0, None
        waiting.save()
    return waiting if waiting.state == Export.State.RUNNING else _claim(now=now)


def _made(export: Export, note_seconds: float) -> bool:
    """Make the file of a claimed export; whether it is ready."""
    part = folder() / f"{export.pk}-{export.attempt}.part"
    try:
        as_of, rows = _written(export, part, note_seconds)
        final = f"{export.pk}-{secrets.token_hex(8)}.{export.format}"
        part.rename(part.with_name(final))
        now = clock()
        is_ready = _change(
            export,
            state=Export.State.READY,
            file=final,
            rows=rows,
            size=(folder() / final).stat().st_size,
            as_of=as_of,
            lease_until=None,
            finished_at=now,
            expires_at=now + timedelta(hours=settings.CLM_EXPORT_HOURS),
        )
        if not is_ready:
            (folder() / final).unlink()
        return is_ready
    except _TakenAwayError:
        return False
    except (QuestionError, NotThereError, OSError) as error:
        said = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
        _change(export, state=Export.State.FAILED, error=said, lease_until=None, finished_at=clock())
        return False
    finally:
        part.unlink(missing_ok=True)


def _change(export: Export, **values: Any) -> bool:
    """Write values into the row as long as it is this attempt's."""
    mine = Export.objects.filter(pk=export.pk, attempt=export.attempt, state=Export.State.RUNNING)
    return bool(mine.update(**values))


def _written(export: Export, part: Path, note_seconds: float) -> tuple[datetime, int]:
    """Write the file; the instant whose data is in it, and how many rows."""
    with beside_the_snapshot() as beside, snapshot() as now, part.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        table = table_of(
            subject=export.subject, dialect=export.dialect, question=export.question, now=now, counted=True
        )
        last = time.monotonic()

        def note(rows: int) -> None:
            nonlocal last
            if time.monotonic() - last < note_seconds:
                return
            last = time.monotonic()
            free = shutil.disk_usage(part.parent).free
            if free < settings.CLM_DISK_FREE_MB * 10**6:
                raise OSError(0, _("The disk is nearly full."))
            with beside.cursor() as cursor:
                cursor.execute(
                    "UPDATE analytics_export SET rows = %s, size = %s, total = %s, as_of = %s,"
                    " lease_until = clock_timestamp() + make_interval(secs => %s)"
                    " WHERE id = %s AND attempt = %s AND state = 'running'",
                    [rows, file.tell(), table.total, now, LEASE.total_seconds(), export.pk, export.attempt],
                )
                if cursor.rowcount == 0:
                    raise _TakenAwayError

        watched = Watched(table, note)
        if export.format == Export.Format.XLSX:
            book = Workbook(part, watched.table)
            book.write()
            # Its parts are put together in one go, during which nothing can be noted.
            with beside.cursor() as cursor:
                cursor.execute(
                    "UPDATE analytics_export SET lease_until = clock_timestamp() + make_interval(secs => %s)"
                    " WHERE id = %s AND attempt = %s AND state = 'running'",
                    [ASSEMBLING.total_seconds(), export.pk, export.attempt],
                )
                if cursor.rowcount == 0:
                    raise _TakenAwayError
            book.close()
        elif export.format == Export.Format.PARQUET:
            write_parquet(file=file, table=watched.table)
        else:
            for piece in pieces(table=watched.table, format=export.format, byte_order_mark=export.byte_order_mark):
                file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return now, watched.rows


class Watched:
    """A table that counts the rows read from it, and tells how many after each portion."""

    def __init__(self, table: Table, tell: Callable[[int], None]) -> None:
        self.rows = 0
        self._portions, self._tell = table.portions, tell
        self.table = Table(table.columns, self._counted(), table.minor_digits, table.total)

    def _counted(self) -> Any:
        for rows in self._portions:
            yield rows
            self.rows += len(rows)
            self._tell(self.rows)


# --- ending ---------------------------------------------------------------------------------------------------
def stop(*, export: Export, now: datetime) -> None:
    """Stop making a file, or throw a finished one away before its time."""
    with transaction.atomic():
        found = Export.objects.select_for_update().get(pk=export.pk)
        if found.is_open:
            found.state = Export.State.CANCELLED
        elif found.state == Export.State.READY:
            found.state = Export.State.EXPIRED
        else:
            raise ConflictError(_("There is nothing to stop: this file is not there any more."))
        found.finished_at = found.finished_at or now
        found.save(update_fields=["state", "finished_at"])
    _remove(found.file)


def downloaded(*, export: Export, now: datetime) -> None:
    """Note that the file was fetched."""
    Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1, downloaded_at=now)


def forget_in_exports() -> int:
    """What leads to somebody who was erased goes from the exports asked for before: files that hold who was there then,
    and the words that were searched for; how many files that were. Who needs one asks again."""
    latest = Erasure.objects.aggregate(latest=Max("at"))["latest"]
    if latest is None:
        return 0
    before = Export.objects.filter(asked_at__lte=latest)
    gone = 0
    for export in before.filter(state=Export.State.READY, as_of__lte=latest):
        gone += Export.objects.filter(pk=export.pk, state=Export.State.READY).update(state=Export.State.EXPIRED)
        _remove(export.file)
    for export in before.exclude(state__in=[Export.State.WAITING, Export.State.RUNNING]).filter(
        question__contains="search="
    ):
        query = QueryDict(export.question, mutable=True)
        if query.pop("search", None) is not None:
            Export.objects.filter(pk=export.pk).update(question=query.urlencode())
    return gone


def forget_files(*, now: datetime) -> int:
    """Remove the files whose time is over, and what killed processes left behind; how many exports expired."""
    over = Export.objects.filter(state=Export.State.READY, expires_at__lte=now)
    expired = 0
    for export in over:
        expired += Export.objects.filter(pk=export.pk, state=Export.State.READY).update(state=Export.State.EXPIRED)
        _remove(export.file)
    kept = set(Export.objects.filter(state=Export.State.READY).values_list("file", flat=True))
    running = Export.objects.filter(state=Export.State.RUNNING, lease_until__gte=now)
    kept |= {f"{number}-{attempt}.part" for number, attempt in running.values_list("pk", "attempt")}
    old = now.timestamp() - 3600
    for path in folder().iterdir():
        # Younger ones may be about to be noted.
        if path.name not in kept and path.stat().st_mtime < old:
            path.unlink(missing_ok=True)
    return expired


def _remove(name: str) -> None:
    if name:
        (folder() / name).unlink(missing_ok=True)

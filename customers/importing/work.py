"""The work on imports that people asked for: rows of Import say what is to do, and the lock of their source keeps two
from doing it. A worker that was killed is followed by any other."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError

from ..file_lock import alone, alone_at_once, is_connected
from ..ingest import clock
from ..mapping_fields import BadMapping
from ..models import Import, ImportContent
from ..money import NoRate
from ..parsing import BadFile
from .begin import begun_before, fingerprint, source_of, told_before
from .mapping import RowMapping
from .run import RowsRun, Stopped, Tell

log = logging.getLogger(__name__)

State = Import.State
_TO_DO = (State.CHECKING, State.WAITING, State.RUNNING)


@dataclass(frozen=True, slots=True)
class RowsImported:
    """record: the account; rows_changed: rows of customers' records inserted, updated or deleted by this run; resumed:
    an earlier run had been stopped."""

    record: Import
    rows_changed: int
    resumed: bool


def work_on_imports(*, tell: Tell = lambda _sentence: None) -> int:
    """Do what is asked of imports, the oldest first; how many were worked on."""
    done = 0
    for number in list(Import.objects.filter(state__in=_TO_DO).order_by("pk").values_list("pk", flat=True)):
        record = Import.objects.select_related("source").get(pk=number)
        with alone_at_once(record.source) as held:
            if held:
                record.refresh_from_db()
                if record.state in _TO_DO and record.kind in _WORK:
                    _work_on(record, tell)
                    done += 1
    return done


def _work_on(record: Import, tell: Tell) -> None:
    try:
        _WORK[record.kind](record, tell)
    except Stopped:
        return
    except (OperationalError, InterfaceError):
        raise
    except (BadFile, BadMapping, NoRate) as error:
        _failed(record, str(error))
    except Exception as error:
        log.exception("import %d failed", record.pk)
        _failed(record, type(error).__name__)


def _failed(record: Import, said: str) -> None:
    """Say why; a draft that was tried stays a draft."""
    if is_connected():
        state = State.DRAFT if record.state == State.CHECKING else State.FAILED
        Import.objects.filter(pk=record.pk, state=record.state).update(state=state, error=said[:2_000])


def _rows(record: Import, tell: Tell) -> None:
    if record.progress.get("header") is None and not ImportContent.objects.filter(from_import=record).exists():
        raise BadFile(Path(record.file_name), "was being read when it stopped, and is not here: import it again")
    run = RowsRun(record=record, now=clock(), tell=tell)
    if record.state == State.CHECKING:
        run.stage()
        found = run.check()
        Import.objects.filter(pk=record.pk, state=State.CHECKING).update(
            checked=found, state=State.DRAFT, progress={**record.progress, "phase": "read"}
        )
        return
    if record.state == State.WAITING:
        if not Import.objects.filter(pk=record.pk, state=State.WAITING).update(state=State.RUNNING):
            raise Stopped
        record.state = State.RUNNING
    run.stage()
    run.run()


_WORK: dict[str, Callable[[Import, Tell], None]] = {Import.Kind.ROWS: _rows}


def import_rows(
    *, path: Path, mapping: RowMapping, now: datetime, tell: Tell, preset: str = "", author: Any = None
) -> RowsImported:
    """Import a file of people, here and now. One that was begun before goes on where it stopped."""
    source = source_of(mapping)
    sha256, size = fingerprint(path)
    with alone(source):
        begun = begun_before(source=source, sha256=sha256, document=mapping.document)
        record = begun or Import.objects.create(
            source=source,
            kind=Import.Kind.ROWS,
            preset=preset,
            file_name=path.name,
            file_sha256=sha256,
            file_bytes=size,
            mapping=dict(mapping.document),
            told_at=told_before(source=source, sha256=sha256) or now,
            author=author,
            created_at=now,
        )
        Import.objects.filter(pk=record.pk).update(state=State.RUNNING, error="")
        record.refresh_from_db()
        started = time.monotonic()
        try:
            run = RowsRun(record=record, now=now, tell=tell)
            run.stage(path)
            resumed = begun is not None and record.progress.get("portion", 0) > 0
            changed = run.run()
        except Stopped:
            record.refresh_from_db()
            return RowsImported(record, 0, begun is not None)
        except BaseException as error:
            if is_connected():
                said = str(error) or type(error).__name__
                Import.objects.filter(pk=record.pk).update(state=State.FAILED, error=said[:2_000])
            raise
        tell(f"{record.lines_read:,} rows in {time.monotonic() - started:.1f} s")
    return RowsImported(record, changed, resumed)


def try_rows(*, path: Path, mapping: RowMapping, now: datetime, tell: Tell) -> dict[str, Any]:
    """What importing a file would do; nothing is kept of it, the rows least of all."""
    source = source_of(mapping)
    sha256, size = fingerprint(path)
    record = Import.objects.create(
        source=source,
        kind=Import.Kind.ROWS,
        file_name=path.name,
        file_sha256=sha256,
        file_bytes=size,
        mapping=dict(mapping.document),
        state=State.CHECKING,
        told_at=told_before(source=source, sha256=sha256) or now,
        created_at=now,
    )
    try:
        run = RowsRun(record=record, now=now, tell=tell)
        run.stage(path)
        return run.check()
    finally:
        if is_connected():
            record.delete()

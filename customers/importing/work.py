"""The work on imports that people asked for: rows of Import say what is to do, and the lock of their source keeps two
from doing it. A worker that was killed is followed by any other."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from ..file_lock import Stopped, alone, alone_at_once, is_connected, refuse_stopped
from ..ingest import clock
from ..mapping_fields import BadMapping
from ..models import Import, ImportContent, Source
from ..order_import import import_orders
from ..order_mapping import OrderMapping
from ..parsing import BadFile
from .begin import begun_before, fingerprint, named_source, source_of, told_before
from .event_lines import check_events, run_events, stage_events
from .mapping import RowMapping
from .run import RowsRun, Tell
from .staging import content_as_file, forget_content
from .try_orders import try_orders
from .undo import LetGo, finish_undo, undo_next

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


@dataclass(frozen=True, slots=True)
class Beyond:
    """What an undo asks of rooms that this one knows nothing of. let_go: customers of whom nothing is left; recount:
    figures of sales, once money was taken back."""

    let_go: LetGo
    recount: Callable[[], None]


def work_on_imports(
    *, beyond: Beyond | None = None, seconds: float = float("inf"), tell: Tell = lambda _sentence: None
) -> int:
    """Do what is asked of imports, the oldest first, for about so long; how many were worked on. beyond None: nothing
    is taken back."""
    to_do = _TO_DO if beyond is None else (*_TO_DO, State.UNDOING)
    done, until = 0, time.monotonic() + seconds
    for number in list(Import.objects.filter(state__in=to_do).order_by("pk").values_list("pk", flat=True)):
        record = Import.objects.select_related("source").get(pk=number)
        with alone_at_once(record.source) as held:
            if held:
                record.refresh_from_db()
                if record.state == State.UNDOING and beyond is not None:
                    _take_back(record, beyond, until, tell)
                    done += 1
                elif record.state in _TO_DO and record.kind in _WORK:
                    _work_on(record, tell, until)
                    done += 1
        if time.monotonic() > until:
            break
    return done


def _take_back(record: Import, beyond: Beyond, until: float, tell: Tell) -> None:
    try:
        while undo_next(record=record, let_go=beyond.let_go) is not None:
            tell(f"taken back: {record.progress['undone']:,} portions")
            if time.monotonic() > until:
                return
        if record.counts.get("undone_touchpoints"):
            beyond.recount()
        finish_undo(record=record)
    except Stopped:
        return


def _work_on(record: Import, tell: Tell, until: float) -> None:
    try:
        _WORK[record.kind](record, tell, until)
        if Import.objects.filter(pk=record.pk, state=State.DONE).exists():
            forget_content(record=record)  # its rows, as they were read, are kept until it cannot be taken back
    except Stopped:
        return
    except (OperationalError, InterfaceError):
        raise
    except (BadFile, BadMapping) as error:
        _failed(record, str(error))
    except Exception as error:
        log.exception("import %d failed", record.pk)
        said = _("The program failed (%(error)s), and its log says where. Go on to try it again.")
        _failed(record, said % {"error": type(error).__name__})


def _failed(record: Import, said: str) -> None:
    """Say why; a draft that was tried stays a draft."""
    if is_connected():
        state = State.DRAFT if record.state == State.CHECKING else State.FAILED
        Import.objects.filter(pk=record.pk, state=record.state).update(state=state, error=said[:2_000])


def _rows(record: Import, tell: Tell, until: float) -> None:
    if record.progress.get("header") is None and not ImportContent.objects.filter(from_import=record).exists():
        raise BadFile(Path(record.file_name), "was being read when it stopped, and is not here: import it again")
    run = RowsRun(record=record, now=clock(), tell=tell)
    if record.state == State.CHECKING:
        run.stage()
        _checked(record, run.check())
        return
    _begin(record)
    run.stage()
    run.run(until=until)


def _checked(record: Import, found: dict[str, Any]) -> None:
    """Keep what a dry run counted; the file is a draft again."""
    kept = {**record.progress, "phase": "read"}
    Import.objects.filter(pk=record.pk, state=State.CHECKING).update(checked=found, state=State.DRAFT, progress=kept)


def _begin(record: Import) -> None:
    if record.state == State.WAITING:
        if not Import.objects.filter(pk=record.pk, state=State.WAITING).update(state=State.RUNNING):
            raise Stopped
        record.state = State.RUNNING


def _orders(record: Import, tell: Tell, _until: float) -> None:
    """A file of order lines: read and stored in one go, since its lines are put together first."""
    if not ImportContent.objects.filter(from_import=record).exists():
        return  # brought in by a command, which goes on with it when it is called again
    mapping = OrderMapping.from_document({key: value for key, value in record.mapping.items() if key != "kind"})
    if record.state == State.CHECKING:
        with content_as_file(record) as path:
            found = try_orders(path=path, mapping=mapping, now=clock(), tell=tell, go_on=_looking(record))
        record.progress = {}  # nothing is kept of the lines: an import reads them anew
        _checked(record, found)
        return
    Import.objects.filter(pk=record.pk).update(mapping=dict(mapping.document))
    _begin(record)
    with content_as_file(record) as path:
        import_orders(path=path, mapping=mapping, now=clock(), tell=tell, author=record.author)


def _looking(record: Import) -> Callable[[int, int], None]:
    """Keeps how far a dry run is; Stopped if nobody wants it any more."""

    def looked(done: int, lines: int) -> None:
        with transaction.atomic():
            refuse_stopped(record)
            record.progress = {"phase": "checking", "checked": done, "rows": lines}
            record.save(update_fields=["progress"])

    return looked


def _events(record: Import, tell: Tell, until: float) -> None:
    if record.state == State.CHECKING:
        stage_events(record=record, tell=tell)
        _checked(record, check_events(record=record, tell=tell))
        return
    _begin(record)
    stage_events(record=record, tell=tell)
    run_events(record=record, tell=tell, until=until)


_WORK: dict[str, Callable[[Import, Tell, float], None]] = {
    Import.Kind.ROWS: _rows,
    Import.Kind.ORDERS: _orders,
    Import.Kind.EVENTS: _events,
}


def import_rows(
    *, path: Path, mapping: RowMapping, now: datetime, tell: Tell, preset: str = "", author: Any = None
) -> RowsImported:
    """Import a file of people, here and now. One that was begun before goes on where it stopped."""

    def act(record: Import) -> int:
        run = RowsRun(record=record, now=now, tell=tell)
        run.stage(path)
        return run.run()

    kind = Import.Kind.ROWS
    return _here(path, kind, source_of(mapping), dict(mapping.document), now, tell, act, preset=preset, author=author)


def import_events(
    *, path: Path, document: Mapping[str, Any], now: datetime, tell: Tell, preset: str = "", author: Any = None
) -> RowsImported:
    """Import a dump of messages, here and now. One that was begun before goes on where it stopped."""

    def act(record: Import) -> int:
        stage_events(record=record, tell=tell, path=path)
        return run_events(record=record, tell=tell)

    kind = Import.Kind.EVENTS
    return _here(path, kind, named_source(document), dict(document), now, tell, act, preset=preset, author=author)


def _here(
    path: Path,
    kind: str,
    source: Source,
    document: dict[str, Any],
    now: datetime,
    tell: Tell,
    act: Callable[[Import], int],
    *,
    preset: str,
    author: Any,
) -> RowsImported:
    sha256, size = fingerprint(path)
    with alone(source):
        begun = begun_before(source=source, sha256=sha256, document=document)
        record = begun or Import.objects.create(
            source=source,
            kind=kind,
            preset=preset,
            file_name=path.name,
            file_sha256=sha256,
            file_bytes=size,
            mapping=document,
            told_at=told_before(source=source, sha256=sha256) or now,
            author=author,
            created_at=now,
        )
        Import.objects.filter(pk=record.pk).update(state=State.RUNNING, error="")
        record.refresh_from_db()
        resumed = begun is not None and record.progress.get("portion", 0) > 0
        started = time.monotonic()
        try:
            changed = act(record)
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
    """What importing a file of people would do; nothing is kept of it, the rows least of all."""

    def act(record: Import) -> dict[str, Any]:
        run = RowsRun(record=record, now=now, tell=tell)
        run.stage(path)
        return run.check()

    return _tried(path, Import.Kind.ROWS, source_of(mapping), dict(mapping.document), now, act)


def try_events(*, path: Path, document: Mapping[str, Any], now: datetime, tell: Tell) -> dict[str, Any]:
    """The same for a dump of messages."""

    def act(record: Import) -> dict[str, Any]:
        stage_events(record=record, tell=tell, path=path)
        return check_events(record=record, tell=tell)

    return _tried(path, Import.Kind.EVENTS, named_source(document), dict(document), now, act)


def _tried(
    path: Path,
    kind: str,
    source: Source,
    document: dict[str, Any],
    now: datetime,
    act: Callable[[Import], dict[str, Any]],
) -> dict[str, Any]:
    sha256, size = fingerprint(path)
    record = Import.objects.create(
        source=source,
        kind=kind,
        file_name=path.name,
        file_sha256=sha256,
        file_bytes=size,
        mapping=document,
        state=State.CHECKING,
        told_at=told_before(source=source, sha256=sha256) or now,
        created_at=now,
    )
    try:
        return act(record)
    finally:
        if is_connected():
            record.delete()

"""What people ask of an import: try it, run it, pause it, go on, stop it. Each only writes the wish; whoever works next
sees it (`customers.importing.work`), and whoever is at work sees it at the next portion."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, QuestionError

from ..ingest import clock
from ..mapping_fields import BadMapping
from ..models import Import
from ..models.intake import UNDO_DAYS
from ..order_mapping import OrderMapping, is_of_orders
from .begin import named_source, source_of, told_before
from .mapping import RowMapping
from .staging import forget_content, forget_rows
from .undo import portions_left

State = Import.State
# What may be asked in which states, and the state that says so.
WISHES: dict[str, tuple[frozenset[str], str]] = {
    "check": (frozenset({State.DRAFT}), State.CHECKING),
    "start": (frozenset({State.DRAFT}), State.WAITING),
    "pause": (frozenset({State.WAITING, State.RUNNING}), State.PAUSED),
    "resume": (frozenset({State.PAUSED, State.FAILED}), State.WAITING),
    "undo": (frozenset({State.DONE, State.CANCELLED, State.PAUSED, State.FAILED}), State.UNDOING),
    "cancel": (frozenset({State.CHECKING, State.WAITING, State.RUNNING, State.PAUSED, State.FAILED}), State.CANCELLED),
}


@transaction.atomic
def ask(*, record: int, wish: str, now: datetime | None = None) -> Import:
    """Ask for something; ConflictError says why it cannot be now. What was asked already is no fault."""
    found = Import.objects.select_for_update(no_key=True).get(pk=record)
    states, state = WISHES[wish]
    if found.state == state:
        return found
    if found.state not in states:
        raise ConflictError(_("This import is %(state)s.") % {"state": found.get_state_display()})
    if wish == "undo":
        _refuse_undo(found, now or clock())
        left = portions_left(record=found)
        found.progress = {**found.progress, "undo": left + found.progress.get("undone", 0)}
    if wish == "cancel" and found.state == State.CHECKING:
        state = State.DRAFT
    found.state, found.error = state, ""
    found.save(update_fields=["state", "error", "progress"])
    return found


def undoable(record: Import, *, now: datetime) -> bool:
    """Whether an import can still be taken back."""
    until = (record.finished_at or record.created_at) + timedelta(days=UNDO_DAYS)
    return record.state in WISHES["undo"][0] and now <= until and record.brought.exists()


def _refuse_undo(record: Import, now: datetime) -> None:
    if not record.brought.exists():
        raise ConflictError(_("Nothing is known of what this import brought, so it cannot be taken back."))
    if not undoable(record, now=now):
        raise ConflictError(_("An import can be taken back for %(days)d days.") % {"days": UNDO_DAYS})


@transaction.atomic
def change_mapping(*, record: int, document: Mapping[str, Any], preset: str | None = None) -> Import:
    """Read a draft another way; what was counted of it is forgotten. QuestionError names the field at fault."""
    found = Import.objects.select_for_update(no_key=True).get(pk=record)
    if found.state != State.DRAFT:
        raise ConflictError(
            _("This import is %(state)s; only a draft can be changed.") % {"state": found.get_state_display()}
        )
    try:
        kind = str(document.get("kind", Import.Kind.ORDERS if is_of_orders(dict(document)) else Import.Kind.ROWS))
        if kind == Import.Kind.ORDERS:
            OrderMapping.from_document({key: value for key, value in document.items() if key != "kind"})
            found.source = named_source(document)
        else:
            found.source = source_of(RowMapping.from_document(dict(document)))
    except BadMapping as error:
        raise QuestionError(error.path or "mapping", str(error)) from None
    found.kind, found.mapping = kind, dict(document)
    found.preset = found.preset if preset is None else preset
    found.checked, found.progress, found.error = None, {}, ""
    found.told_at = told_before(source=found.source, sha256=found.file_sha256) or found.created_at
    found.save()
    forget_rows(record=found)
    return found


def discard(*, record: int) -> None:
    """Throw a draft away, its file with it."""
    found = Import.objects.get(pk=record)
    if found.state != State.DRAFT:
        raise ConflictError(_("Only a draft can be thrown away; what was stored can be taken back."))
    forget_rows(record=found)
    forget_content(record=found)
    found.delete()

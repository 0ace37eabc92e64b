"""When what was kept of an import is not needed any more: its rows and what it brought once it cannot be taken back,
and a draft that nobody went on with. The file itself goes as soon as it is stored."""

from datetime import datetime, timedelta

from ..models import Import, ImportBrought
from ..models.intake import UNDO_DAYS
from .staging import forget_content, forget_rows

State = Import.State
_OVER = (State.DONE, State.CANCELLED, State.FAILED, State.UNDONE)


def forget_imports(*, now: datetime) -> int:
    """Forget the rows of imports that can no longer be taken back, and drafts as old as they; of how many something was
    forgotten. Their accounts stay."""
    before = now - timedelta(days=UNDO_DAYS)
    drafts = Import.objects.filter(state=State.DRAFT, created_at__lt=before)
    over = Import.objects.filter(state__in=_OVER, created_at__lt=before).exclude(finished_at__gte=before)
    kept = over.filter(rows__isnull=False) | over.filter(content__isnull=False) | over.filter(brought__isnull=False)
    done = 0
    for record in [*drafts, *kept.distinct()]:
        forget_rows(record=record)
        forget_content(record=record)
        while numbers := list(ImportBrought.objects.filter(from_import=record).values_list("pk", flat=True)[:200]):
            ImportBrought.objects.filter(pk__in=numbers).delete()
        if record.state == State.DRAFT:
            record.delete()
        done += 1
    return done

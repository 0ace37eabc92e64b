"""What the numbers rest on: the sources that sent something, and what imports did with their lines."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, Max, Min, OuterRef, Sum
from django.utils.translation import gettext as _

from campaigns.models import Spend
from clm.lib import sql
from clm.lib.reading import once
from customers.models import Import, Source, Touchpoint

from .days.kept import Kept
from .made_up_spend import BUDGETS, SOURCE
from .models import Seen


@dataclass(frozen=True, slots=True)
class SourceRef:
    """A source a figure rests on."""

    key: str
    name: str
    is_simulated: bool


@dataclass(frozen=True, slots=True)
class SourceNote:
    """What a source has sent, over its whole life. shifted_weeks: by how much demonstration data was moved forward;
    lines_*: of all its finished imports, None where nothing was imported. spend_days, first_spend, last_spend: on how
    many days it holds what marketing cost, the first and the last; 0 and None for sources of touchpoints."""

    key: str
    name: str
    kind: str
    touchpoints: int
    first_at: datetime | None
    last_at: datetime | None
    imported_at: datetime | None
    shifted_weeks: int
    lines_read: int | None
    lines_used: int | None
    lines_set_aside: int | None
    note: str
    spend_days: int = 0
    first_spend: date | None = None
    last_spend: date | None = None


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulator that sent touchpoints. has_orders: a whole population with its orders; otherwise only touches around
    the orders of real customers, and people who never buy (the demo)."""

    name: str
    has_orders: bool


def sources_used(*, kept: Kept | None = None) -> tuple[SourceRef, ...]:
    """The sources that sent any touchpoint."""
    if kept is not None and kept.has_seen:
        found = Source.objects.filter(pk__in=Seen.objects.values("source")).order_by("pk")
        return tuple(SourceRef(one.key, one.name, one.is_simulated) for one in found)
    return tuple(SourceRef(*row) for row in sql.rows("analytics/sources_used"))


def sources_of_orders(*, kept: Kept | None = None) -> tuple[SourceRef, ...]:
    """The sources that figures about orders rest on: all that sent touchpoints but a simulator that sent no order."""
    used = sources_used(kept=kept)
    about = simulation() if any(one.is_simulated for one in used) else None
    return tuple(one for one in used if not one.is_simulated or (about is not None and about.has_orders))


@once
def simulation() -> Simulation | None:
    """What of the numbers is simulated; None when nothing is. One query."""
    told = Touchpoint.objects.filter(source=OuterRef("pk"))
    populations = Import.objects.filter(source=OuterRef("pk"))
    found = list(
        Source.objects.filter(Exists(told), is_simulated=True).order_by("id").values_list("name", Exists(populations))
    )
    return Simulation(found[0][0], any(orders for _name, orders in found)) if found else None


def source_notes(*, kept: Kept | None = None) -> tuple[SourceNote, ...]:
    """Every source with what it sent and what became of its files; four queries."""
    counted = kept is not None and kept.has_seen
    seen = {row[0]: row[1:] for row in sql.rows("analytics/kept_sources" if counted else "analytics/sources_seen")}
    files = {
        row["source"]: row
        for row in Import.objects.filter(state=Import.State.DONE)
        .values("source")
        .annotate(read=Sum("lines_read"), used=Sum("lines_used"), at=Max("finished_at"))
    }
    spend = Spend.objects.filter(campaign__key__in=[budget.key for budget in BUDGETS]).aggregate(
        days=Count("day", distinct=True), first=Min("day"), last=Max("day")
    )
    notes = []
    for source in Source.objects.order_by("id"):
        touchpoints, first_at, last_at, _received = seen.get(source.pk, (0, None, None, None))
        lines = files.get(source.pk)
        holds_spend = source.key == SOURCE
        notes.append(
            SourceNote(
                key=source.key,
                name=source.name,
                kind=source.kind,
                touchpoints=touchpoints,
                first_at=first_at,
                last_at=last_at,
                imported_at=lines["at"] if lines else None,
                shifted_weeks=source.shift_days // 7,
                lines_read=lines["read"] if lines else None,
                lines_used=lines["used"] if lines else None,
                lines_set_aside=lines["read"] - lines["used"] if lines else None,
                note=_note(source),
                spend_days=spend["days"] if holds_spend else 0,
                first_spend=spend["first"] if holds_spend else None,
                last_spend=spend["last"] if holds_spend else None,
            )
        )
    return tuple(notes)


def _note(source: Source) -> str:
    if source.is_simulated:
        if source.kind == "simulator":
            return _("Simulated, not real. The foot of every page says what rests on it.")
        return _("Simulated, not real.")
    if source.shift_days:
        return _("Real data whose dates were moved forward by %(weeks)d whole weeks for the demonstration.") % {
            "weeks": source.shift_days // 7
        }
    return ""

"""How the installation is doing: what waits, what is parked, whether the scan everything rests on stays fast."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campaigns.models import Endpoint
from clm.lib import sql
from customers.models import Cause, Import, Source
from lifecycle.models import Fault, HotCustomer, Replay
from lifecycle.replay import Progress, progress

from .days.identities import broken
from .days.progress import Progress as Counted
from .days.progress import being_counted
from .models import Broken, Counting


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """One replay and how far it is."""

    id: int
    cause: str
    started_at: datetime
    finished_at: datetime | None
    progress: Progress

    @property
    def share_done(self) -> float:
        """0 to 1. One without customers is done when it has ended."""
        return self.progress.done / self.progress.buckets if self.progress.buckets else float(bool(self.finished_at))


@dataclass(frozen=True, slots=True)
class SystemState:
    """Everything the system page says. all_visible is the share (0..1) of the touchpoint table's pages that a replay
    reads from the index alone, None while the table is empty; below 0.8 replays get many times slower. A silence is how
    many seconds ago that part was last at work, None when it never was."""

    now: datetime
    database: str
    customers: int
    touchpoints: int
    database_bytes: int
    stale_rows: int
    overdue: int
    unsequenced: int
    tick_silence: float | None
    worker_silence: float | None
    all_visible: float | None
    faults: tuple[Fault, ...]
    hot: tuple[HotCustomer, ...]
    replays: tuple[ReplayRow, ...]
    imports: tuple[Import, ...]
    sources: tuple[Source, ...]
    embedded: bool
    counted: tuple[Counting, ...]
    counting: tuple[Counted, ...]
    broken: tuple[Broken, ...]
    silent_webhooks: tuple[Endpoint, ...]

    @property
    def tick_stands_still(self) -> bool:
        """Nobody brings customers up to date."""
        return _too_long(self.tick_silence)

    @property
    def workers_stand_still(self) -> bool:
        """Nobody works off wake-ups: beat or the workers are away, or all of them replay."""
        return _too_long(self.worker_silence)


def _too_long(silence: float | None) -> bool:
    return silence is None or silence > settings.CLM_PULSE_SECONDS


def _cause(replay: Replay) -> str:
    """Why everybody was computed anew; by default because somebody asked for it."""
    return str(_("asked for by hand") if replay.cause == Cause.ENGINE else replay.get_cause_display())


def system_state() -> SystemState:
    (row,) = sql.records("analytics/system_state")
    replays = tuple(
        ReplayRow(one.pk, _cause(one), one.started_at, one.finished_at, progress(replay=one))
        for one in Replay.objects.order_by("-pk")[:5]
    )
    counted = tuple(Counting.objects.order_by("known_at"))
    return SystemState(
        **row,
        faults=tuple(Fault.objects.order_by("-last_at")),
        hot=tuple(HotCustomer.objects.order_by("-touchpoints")[:20]),
        replays=replays,
        imports=tuple(Import.objects.select_related("source").order_by("-pk")[:10]),
        sources=tuple(Source.objects.order_by("name")),
        counted=counted,
        counting=being_counted(counted, now=row["now"]),
        broken=broken(),
        silent_webhooks=tuple(Endpoint.objects.exclude(disabled_at=None).order_by("-disabled_at")[:20]),
        embedded=settings.EMBEDDED_POSTGRES or settings.EMBEDDED_VALKEY,
    )

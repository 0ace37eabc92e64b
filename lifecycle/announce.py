"""Telling what changed: transitions after the last one told, in order, then at most one correction. Written in the
transaction that moves the stages, so a change and its announcement stand or fall together.

An announcement is news when its instant lies within the news window and a touchpoint as it happened, or time alone,
brought it about; everything else is history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from django.db import connection, transaction

from clm.lib import sql
from clm.lib.milliseconds import to_ms
from clm.lib.rows import store_rows
from customers import locks
from customers.models import Cause

from .models import Announcement

# Announcements that get their place in one transaction.
SEQUENCE_STEP = 10_000


@dataclass(slots=True)
class Telling:
    """What one customer's advance tells of one subject. told_stage and told_until (ms) are what was told before, and
    after `follow` what has been told now."""

    customer: int
    subject: int
    version: int
    cause: Cause
    told_stage: int | None
    told_until: int
    news: list[tuple[str, int | None, int, int]] = field(default_factory=list)  # kind, from stage, stage, entered_at

    def follow(self, spells: Sequence[tuple[int, int]]) -> None:
        """Tell believed transitions (entered_at in ms, stage), in order, none of them in the future."""
        for entered_at, stage in spells:
            # A change of history can bring the stage told last to follow itself: that is no news to anybody.
            if entered_at > self.told_until and stage != self.told_stage:
                self._tell(Announcement.Kind.TRANSITION, stage, entered_at)
        entered_at, stage = spells[-1]
        if stage != self.told_stage:
            self._tell(Announcement.Kind.CORRECTION, stage, entered_at)

    def leave(self, outside: int, since: int) -> None:
        """Tell that the customer, told to stand somewhere since `since`, never did."""
        if outside != self.told_stage:
            self._tell(Announcement.Kind.CORRECTION, outside, since)

    def _tell(self, kind: str, stage: int, entered_at: int) -> None:
        self.news.append((kind, self.told_stage, stage, entered_at))
        self.told_stage = stage
        self.told_until = max(self.told_until, entered_at)


def announce(*, tellings: Sequence[Telling], now: datetime, news_since: datetime) -> int:
    """Append what the tellings have to tell, customer by customer in order of time; how many."""
    rows = [
        (telling, *news)
        for telling in sorted(tellings, key=lambda telling: (telling.customer, telling.subject))
        for news in telling.news
    ]
    if not rows:
        return 0
    told, kinds, from_stages, stages, entered = zip(*rows, strict=True)
    causes = np.array([telling.cause for telling in told], np.int64)
    entered_at = np.array(entered, np.int64)
    # By COPY: where hundreds of segments change at once, thousands of objects of the ORM cost more than all the rest.
    return store_rows(
        "lifecycle_announcement",
        {
            "customer_id": "q",
            "subject_id": "i",
            "version_id": "i",
            "from_stage_id": "i",
            "stage_id": "i",
            "kind": "s",
            "entered_at": "t",
            "told_at": "t",
            "cause": "h",
            "is_news": "b",
        },
        {
            "customer_id": np.array([telling.customer for telling in told], np.int64),
            "subject_id": np.array([telling.subject for telling in told], np.int64),
            "version_id": np.array([telling.version for telling in told], np.int64),
            "from_stage_id": np.ma.MaskedArray(
                np.array([stage or 0 for stage in from_stages], np.int64), [stage is None for stage in from_stages]
            ),
            "stage_id": np.array(stages, np.int64),
            "kind": [str(kind) for kind in kinds],
            "entered_at": entered_at,
            "told_at": np.full(len(rows), to_ms(now)),
            "cause": causes,
            "is_news": np.isin(causes, (Cause.LIVE, Cause.TIME)) & (entered_at > to_ms(news_since)),
        },
    )


def sequence(*, limit: int = SEQUENCE_STEP) -> int:
    """Give committed announcements their place in the one order that readers follow; how many got one. One sequencer
    at a time: serial ids commit out of order, places do not."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, 0)", [locks.SEQUENCER])
            if not cursor.fetchone()[0]:
                return 0
        with sql.run("lifecycle/sequence", limit=limit) as cursor:
            return cursor.rowcount

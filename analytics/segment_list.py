"""The list of segments: what each means, how many are in it and were, what uses it, and what is being drafted.

The segments are hundreds, their customers may be millions: all of them are read, narrowed and ordered here, and what
costs more is read for one page, with as many queries for five hundred segments as for one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from campaigns.models import Campaign, Experiment
from clm.lib import sql
from clm.lib.cursors import cursor as written_cursor
from clm.lib.cursors import parse_cursor
from clm.lib.questions import QuestionError
from lifecycle.models import Version

from .days.kept import Kept
from .segment_sizes import segment_sizes
from .sorting import Sorting, segments
from .stage_rules import rules_of

PAGE = 50
WEEKS = 12
KINDS = ("rule", "list", "draft")
ORDERS = ("name", "size", "changed")


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment of the list. customers: None while nothing of it is live; trend: at the last 12 week ends as kept, or
    empty; used_in: how many models, segments, campaigns and experiments depend on it; change: the revision that drafts
    it anew."""

    segment: Sorting
    sentence: str
    customers: int | None
    trend: tuple[int, ...]
    used_in: int
    changed_at: datetime | None
    changed_by: str
    change: int | None

    @property
    def is_list(self) -> bool:
        return self.segment.kind == "list"


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """A page of segments, the place of its first row (from 1), how many there are in all, and its neighbours."""

    rows: tuple[SegmentRow, ...]
    start: int
    size: int
    everything: int
    next_cursor: str | None
    previous_cursor: str | None


def segment_page(
    *,
    kept: Kept,
    search: str = "",
    kind: str = "",
    order: str = "name",
    cursor: str | None = None,
    page_size: int = PAGE,
) -> SegmentPage:
    """A page of the segments whose name, key or description holds every word of `search`. kind: `rule`, `list`, or
    `draft` for those with a change that is not live; order: `name`, `size` (largest first), `changed` (last first)."""
    if kind and kind not in KINDS:
        raise QuestionError("kind", f"kind is one of {', '.join(KINDS)}")
    if order not in ORDERS:
        raise QuestionError("order", f"order is one of {', '.join(ORDERS)}")
    known = segments()
    drafted = drafts_of(known)
    found = [one for one in known if _fits(one, search, kind, drafted)]
    found.sort(key=lambda one: (one.name.casefold(), one.key))
    if order == "size":
        sizes = segment_sizes(segments=found)
        found.sort(key=lambda one: -sizes[one.id])
    elif order == "changed":
        at = dict(Version.objects.filter(pk__in=[one.version for one in found]).values_list("subject", "published_at"))
        # What was never live stands last.
        found.sort(key=lambda one: at.get(one.id) or datetime.min.replace(tzinfo=UTC), reverse=True)
    first = 0
    if cursor is not None:
        _kind, (first,) = parse_cursor(cursor, kinds="s", count=1)
        first = max(first, 0)
    shown = found[first : first + page_size]
    return SegmentPage(
        rows=_rows(shown, drafted, kept),
        start=first + 1,
        size=len(found),
        everything=len(known),
        next_cursor=written_cursor("s", first + page_size) if first + page_size < len(found) else None,
        previous_cursor=written_cursor("s", max(first - page_size, 0)) if first else None,
    )


def drafts_of(sortings: Sequence[Sorting]) -> dict[int, int]:
    """By the id of a segment or model with a change that is not live yet, the revision that drafted it last."""
    to_come = Version.objects.filter(
        subject__in=[one.id for one in sortings],
        state__in=(Version.State.DRAFT, Version.State.BUILDING),
        revision__isnull=False,
    )
    return dict(to_come.order_by("number").values_list("subject_id", "revision_id"))


def _fits(one: Sorting, search: str, kind: str, drafted: dict[int, int]) -> bool:
    if kind == "draft" and one.id not in drafted:
        return False
    if kind in ("rule", "list") and (one.kind == "list") != (kind == "list"):
        return False
    said = f"{one.name} {one.key} {one.description}".casefold()
    return all(word in said for word in search.casefold().split())


def _rows(shown: Sequence[Sorting], drafted: dict[int, int], kept: Kept) -> tuple[SegmentRow, ...]:
    if not shown:
        return ()
    sizes = segment_sizes(segments=shown)
    trends = _trends(shown, kept)
    used = Counter(dict(sql.rows("analytics/segments_used", keys=[one.key for one in shown])))
    by_id = {one.id: one.key for one in shown}
    audiences = Campaign.objects.filter(audience__in=list(by_id)).values_list("audience", flat=True)
    used.update(by_id[audience] for audience in audiences if audience is not None)
    for audience, metrics in Experiment.objects.filter(told__isnull=True).values_list("audience", "metrics"):
        used.update({by_id.get(audience or 0, ""), *(str(metric.get("segment", "")) for metric in metrics)})
    rows = []
    for one, rules in zip(shown, rules_of(sortings=shown), strict=True):
        inside = next((rule for rule in rules.stages if rule.stage.key == "in"), None)
        rows.append(
            SegmentRow(
                segment=one,
                sentence=inside.sentence if inside else "",
                customers=sizes[one.id] if one.version is not None else None,
                trend=trends.get(one.id, ()),
                used_in=used[one.key],
                changed_at=rules.version.published_at if rules.version else None,
                changed_by=rules.version.published_by if rules.version else "",
                change=drafted.get(one.id),
            )
        )
    return tuple(rows)


def _trends(shown: Sequence[Sorting], kept: Kept) -> dict[int, tuple[int, ...]]:
    """Sizes at the ends of the last weeks, of those that are counted per day."""
    today = kept.day(None)
    counted = {one.stage_id("in"): one for one in shown if kept.has_stages(one.version)}
    if today is None or not counted:
        return {}
    days = [today - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    sizes: dict[int, dict[date, int]] = {stage: {} for stage in counted}
    versions = [one.version for one in counted.values()]
    for stage, day, customers in sql.rows(
        "analytics/segment_trends", versions=versions, stages=list(counted), days=days
    ):
        sizes[stage][day] = customers
    return {one.id: tuple(sizes[stage].get(day, 0) for day in days) for stage, one in counted.items()}

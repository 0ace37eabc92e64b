"""How many are in each of many segments: read from the figures kept per day where they are counted, from standings for
the rest."""

from collections.abc import Sequence

from clm.lib import sql

from .days.kept import kept
from .sorting import Sorting


def segment_sizes(*, segments: Sequence[Sorting]) -> dict[int, int]:
    """By the id of the segment; at most four queries, and one scan of the standings only for what is not kept."""
    counted = kept()
    today = counted.day(None)
    inside = {segment.id: segment.stage_id("in") for segment in segments}
    is_kept = [segment for segment in segments if today is not None and counted.has_stages(segment.version)]
    rest = [inside[segment.id] for segment in segments if segment not in is_kept]
    sizes: dict[int, int] = {}
    if is_kept:
        versions = [segment.version for segment in is_kept]
        sizes |= dict(sql.rows("analytics/segment_sizes_kept", versions=versions, day=today))
    if rest:
        sizes |= dict(sql.rows("analytics/segment_sizes", stages=rest))
    return {segment: sizes.get(stage, 0) for segment, stage in inside.items()}

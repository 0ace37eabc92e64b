"""Turns read results into the JSON that static/js/lines.js and static/js/sankey.js draw from."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from analytics.sorting import StageRef
from analytics.stages import Flow
from analytics.templatetags.stages import stage_key


def sankey_payload(*, flows: Sequence[Flow], description: str) -> dict[str, Any]:
    """Both sides of the period with their moves; those who stayed are left out, they would hide the rest."""
    moved = [flow for flow in flows if flow.customers and (flow.source is None or flow.source.key != flow.target.key)]

    def order(stage: StageRef | None) -> tuple[bool, int]:
        return (stage is not None and stage.is_exit, stage.position if stage is not None else 0)

    before = sorted({_key(f.source): f.source for f in moved}.values(), key=order)
    after = sorted({_key(f.target): f.target for f in moved}.values(), key=order)
    left = {_key(stage): at for at, stage in enumerate(before)}
    right = {_key(stage): at for at, stage in enumerate(after)}
    return {
        "description": description,
        "before": [{"name": stage.name if stage else _("New"), "stage": stage_key(stage)} for stage in before],
        "after": [{"name": stage.name if stage else _("New"), "stage": stage_key(stage)} for stage in after],
        "moves": [[left[_key(f.source)], right[_key(f.target)], f.customers] for f in moved],
    }


def _key(stage: StageRef | None) -> str:
    return "" if stage is None else stage.key


def lines_payload(*, series: Any) -> dict[str, Any]:
    """A series with `sentence`, `labels` (dates) and `lines` (name, values)."""
    return {
        "description": series.sentence,
        "labels": [label.isoformat() for label in series.labels],
        "lines": [{"name": line.name, "values": list(line.values)} for line in series.lines],
    }

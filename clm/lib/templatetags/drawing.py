"""Small drawings made on the server: sparklines, and the tone of an avatar."""

import zlib
from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

WIDTH, HEIGHT, MARGIN = 100.0, 32.0, 3.0


def points(values: Sequence[float | None]) -> list[tuple[float, float]]:
    """Where the known values lie in a box of WIDTH x HEIGHT, the greatest on top; unknown ones are left out."""
    known = [(i, float(v)) for i, v in enumerate(values) if v is not None]
    if len(known) < 2:
        return []
    low, high = min(v for _, v in known), max(v for _, v in known)
    scale = (HEIGHT - 2 * MARGIN) / (high - low) if high > low else 0.0
    step = WIDTH / (len(values) - 1)
    # A line that never moves runs through the middle, one that is always zero along the ground.
    flat = HEIGHT / 2 if high else HEIGHT - MARGIN
    return [(i * step, HEIGHT - MARGIN - (v - low) * scale if scale else flat) for i, v in known]


@register.simple_tag
def sparkline(values: Sequence[float | None], area: bool = True) -> SafeString:
    """A line of at least two known values, coloured by `--c`. It decorates: the numbers stand beside it in words."""
    line = points(values)
    if not line:
        return mark_safe("")
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line)
    fill = format_html('<path class="spark-area" d="{}L{} {}L{} {}Z"/>', path, line[-1][0], HEIGHT, line[0][0], HEIGHT)
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">{}'
        '<path class="spark-line" d="{}"/></svg>',
        f"{WIDTH:g}",
        f"{HEIGHT:g}",
        fill if area else "",
        path,
    )


@register.filter
def tone(key: object) -> str:
    """One of eight colour classes, always the same for the same key."""
    return f"stage-{zlib.crc32(str(key).encode()) % 7 + 1}"

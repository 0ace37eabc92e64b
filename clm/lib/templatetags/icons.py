"""The `{% icon %}` tag: an outline icon drawn into the page, taking the text's colour and costing no request."""

import functools
import re
from pathlib import Path

from django import template
from django.conf import settings
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_SHAPES = re.compile(r"<(?:path|circle|rect|line|polyline|polygon|ellipse)\b[^>]*/>")
_NAME = re.compile(r"[a-z0-9-]+")
# Every icon of the set begins with an invisible square that only fixes its size.
_INVISIBLE = "M0 0h24v24H0z"


@functools.cache
def shapes(name: str) -> SafeString:
    """The drawing elements of one icon file. Raises FileNotFoundError for a name that is not in the set."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not an icon name: {name!r}")
    source = Path(settings.ICONS_DIR, f"{name}.svg").read_text(encoding="utf-8")
    return mark_safe("".join(shape for shape in _SHAPES.findall(source) if _INVISIBLE not in shape))  # noqa: S308


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of 24 by 24 units; hidden from screen readers unless a label is given."""
    return _drawn(name, conditional_escape(label) if label else "")


@functools.lru_cache(maxsize=2000)
def _drawn(name: str, label: str) -> SafeString:
    """A page draws two hundred icons, of two dozen kinds. label: ready to stand in an attribute."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
        'stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        mark_safe(f'role="img" aria-label="{label}"' if label else 'aria-hidden="true"'),  # noqa: S308
        shapes(name),
    )

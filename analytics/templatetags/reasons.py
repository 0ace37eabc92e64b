"""The tree of reasons of a stage, drawn in Python: a page has sixty nodes, and a template included for each of them
took a third of its time."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.cursors import cursor
from clm.lib.milliseconds import to_ms
from clm.lib.templatetags.icons import icon
from clm.lib.templatetags.times import plain_date, when
from lifecycle.evidence import Evidence
from lifecycle.why import Reason

register = template.Library()


@register.simple_tag(takes_context=True)
def why_node(context: Context, node: Reason) -> SafeString:
    """A node: its mark, what it asks, what it saw, and the nodes it is made of (static/css/parts/why.css)."""
    if node.held:
        mark = format_html('<span class="mark yes">{}</span>', icon("check", label=_("holds")))
    else:
        mark = format_html('<span class="mark no">{}</span>', icon("x", label=_("does not hold")))
    return format_html(
        '<div class="node">{} <div>{}<div class="node-facts">{}</div>{}{}</div></div>\n',
        mark,
        _heading(node),
        format_html_join(" ", "<span>{}</span>", ((fact,) for fact in _facts(context, node))),
        _touchpoints(context, node.touchpoints) if node.touchpoints else "",
        _made_of(context, node.parts) if node.parts else "",
    )


@register.simple_tag(takes_context=True)
def until_when(context: Context, node: Reason) -> SafeString:
    """Until when it stays so; what lies ahead comes true only if nothing else happens."""
    if not node.until:
        return SafeString("")
    now = context.get("moment") or context.get("now") or timezone.now()
    said = format_html("{} {}", _("until"), when(context, node.until, "date"))
    return format_html("<span>{}{}</span>", said, _(", if nothing else happens") if node.until > now else "")


def _heading(node: Reason) -> SafeString:
    if not node.name:
        return format_html("{}", node.title)
    return format_html('<b>{}</b><span class="muted">: {}</span>', node.title, node.meaning)


def _facts(context: Context, node: Reason) -> Iterator[SafeString | str]:
    if node.told:
        yield format_html("<b>{}</b>", node.told)
    if node.last_at and not node.parts:
        yield format_html("{} {}", _("the last one on"), when(context, node.last_at, "date"))
    if node.since:
        yield format_html("{} {}", _("so since"), when(context, node.since, "date"))
    if node.until:
        yield until_when(context, node)


def _touchpoints(context: Context, found: Sequence[Evidence]) -> SafeString:
    """Links to the touchpoints behind it, on the timeline of the same page."""
    links = ((_address(context, one), one.type, plain_date(one.at)) for one in found)
    return format_html(
        '<div class="node-touchpoints">{}</div>',
        format_html_join(" ", '<a href="{}">{} <span class="muted">{}</span></a>', links),
    )


def _address(context: Context, one: Evidence) -> str:
    """The page as it is asked for, its timeline beginning with that touchpoint."""
    request = context.get("request")
    kept = {key: value for key, value in request.GET.items() if key not in ("before", "role")} if request else {}
    return f"?{urlencode({**kept, 'before': cursor('t', to_ms(one.at), one.id + 1)})}#touchpoint-{one.id}"


def _made_of(context: Context, parts: Sequence[Reason]) -> SafeString:
    count = len(parts)
    return format_html(
        '<details class="node-parts"><summary>{}{}</summary><div class="tree">{}</div></details>',
        icon("chevron-right"),
        ngettext("What it asks", "The %(n)s things it asks", count) % {"n": count},
        format_html_join("", "{}", ((why_node(context, part),) for part in parts)),
    )

"""The tree of reasons of a stage, drawn in Python: a page has sixty nodes, and a template included for each of them
took a third of its time."""

from collections.abc import Iterator, Sequence

from django import template
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.templatetags.stages import without_subject
from clm.lib.templatetags.icons import icon
from clm.lib.templatetags.times import when
from lifecycle.why import Reason

register = template.Library()


@register.simple_tag(takes_context=True)
def why_node(context: Context, node: Reason) -> SafeString:
    """A node: its mark, its sentence, what is known of it, and the nodes it is made of (static/css/parts/why.css)."""
    if node.held:
        mark = format_html('<span class="mark yes">{}</span>', icon("check", label=_("held")))
    else:
        mark = format_html('<span class="mark no">{}</span>', icon("x", label=_("did not hold")))
    return format_html(
        '<div class="node">{} <div>{}{}<div class="node-facts">{}</div>{}</div></div>\n',
        mark,
        format_html("<b>{}</b>: ", node.name) if node.name else "",
        without_subject(node.sentence),
        format_html_join(" ", "<span>{}</span>", ((fact,) for fact in _facts(context, node))),
        _made_of(context, node.parts) if node.parts else "",
    )


def _facts(context: Context, node: Reason) -> Iterator[SafeString | str]:
    # What was counted is not told of every rule yet; the style guide shows how it looks.
    seen, needed = getattr(node, "seen", ""), getattr(node, "needed", "")
    if seen:
        said = _("seen: %(seen)s") % {"seen": seen}
        yield said + (" " + _("(needs %(needed)s)") % {"needed": needed} if needed else "")
    if node.since:
        yield format_html("{} {}", _("since"), when(context, node.since, "date"))
    if node.until:
        yield format_html("{} {}", _("until"), when(context, node.until, "date"))


def _made_of(context: Context, parts: Sequence[Reason]) -> SafeString:
    count = len(parts)
    return format_html(
        '<details class="node-parts"><summary>{}{}</summary><div class="tree">{}</div></details>',
        icon("chevron-right"),
        ngettext("%(n)s condition", "%(n)s conditions", count) % {"n": count},
        format_html_join("", "{}", ((why_node(context, part),) for part in parts)),
    )

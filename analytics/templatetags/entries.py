"""An entry of a timeline, drawn in Python: a page has twenty-five, and a template included for each of them took a
third of its time."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.templatetags.stages import role_icon
from analytics.timeline import Entry
from analytics.trait_changes import TraitChange
from clm.lib.templatetags.icons import icon
from clm.lib.templatetags.numbers import as_sent, money, number
from clm.lib.templatetags.times import when
from customers.models import Touchpoint
from customers.partitions import KEEP

register = template.Library()
# What people wrote down, and not a machine.
BY_HAND = ("Call", "Note")


@register.simple_tag(takes_context=True)
def timeline_entry(context: Context, entry: Entry | TraitChange, clock: str = "clock") -> SafeString:
    """An entry: its mark, what it was and where, what a person wrote, what is folded away, and when: the time of day,
    or the day too ("moment"). An event of a ticket leads to it where the context has the `customer`
    (static/css/parts/timeline.css)."""
    if isinstance(entry, TraitChange):
        return _change(context, entry)
    return format_html(
        '<li class="entry role-{role}{by_hand}" id="touchpoint-{number}"><span class="entry-mark">{mark}</span><div>'
        '<div class="entry-title">{title}</div><div class="entry-sub">{where}</div>{text}{more}</div>'
        '<div class="entry-end">{amount}<div class="muted small">{clock}</div></div></li>\n',
        number=entry.id,
        role=entry.role,
        by_hand=" by-hand" if entry.type in BY_HAND else "",
        mark=role_icon(getattr(entry, "icon", "") or entry.role),
        title=entry.title,
        where=format_html_join("", "{}", ((part,) for part in _where(context, entry))),
        text=format_html('<p class="entry-text">{}</p>', entry.text) if entry.text else "",
        more=_more(context, entry),
        amount=_amount(context, entry),
        clock=when(context, entry.at, clock),
    )


def _change(context: Context, change: TraitChange) -> SafeString:
    """A change of what is known: from what to what."""
    said = {(False, True): _("%(what)s added"), (True, False): _("%(what)s removed")}
    title = said.get((bool(change.was), bool(change.became)), _("%(what)s changed"))
    was = format_html('<s dir="auto">{}</s>', change.was) if change.was else ""
    became = format_html('<b dir="auto">{}</b>', change.became) if change.became else ""
    arrow = icon("arrow-narrow-right", label=_("then")) if was and became else ""
    return format_html(
        '<li class="entry change"><span class="entry-mark">{}</span><div><div class="entry-title">{}</div>'
        '<div class="entry-sub">{}</div></div><div class="entry-end"><div class="muted small">{}</div></div></li>\n',
        icon("pencil"),
        title % {"what": change.label},
        format_html_join(" ", "{}", ((part,) for part in (was, arrow, became) if part)),
        when(context, change.at, "clock"),
    )


@register.filter
def remarks(flags: int) -> str:
    """What is remarkable about a touchpoint, by the bits of its `flags`: how its time or amount was mended."""
    return "; ".join(str(flag.label) for flag in Touchpoint.Flag if flags & flag)


@register.filter
def contact_kind(kind: str) -> str:
    """What an identity of that kind is called: `email` is an e-mail, `external_id` an external id, `ext:stripe` a
    stripe id."""
    if kind.startswith("ext:"):
        return _("%(system)s id") % {"system": kind.removeprefix("ext:")}
    return {"email": _("e-mail"), "phone": _("phone")}.get(kind) or kind.replace("_", " ")


def _amount(context: Context, entry: Entry) -> SafeString | str:
    """What it was worth; as it was sent, and that no sum counts it, where no rate is known for its currency."""
    if entry.unrated is not None:
        said = _("no %(currency)s rate") % {"currency": entry.unrated} if entry.unrated else _("no known currency")
        return format_html(
            '<div class="amount">{}</div><a class="badge warn" href="{}">{}{}</a>',
            as_sent(entry.original),
            reverse("rates_missing"),
            icon("coin-off"),
            said,
        )
    return "" if entry.amount is None else format_html('<div class="amount">{}</div>', money(context, entry.amount))


def _where(context: Context, entry: Entry) -> Iterator[SafeString]:
    yield format_html("<span>{}</span><span>{}</span>", entry.channel, entry.source)
    customer = getattr(context.get("customer"), "id", None)
    if entry.ticket_ref and customer is not None:
        # The dates somebody chose go along to the ticket.
        more = context["dates"].more if "dates" in context else ""
        address = f"{reverse('support_ticket', args=[customer])}?{urlencode({'ref': entry.ticket_ref})}{more}"
        yield format_html('<a href="{}">{}</a>', address, _("ticket %(ref)s") % {"ref": entry.ticket_ref})
    if entry.order_ref:
        yield format_html('<span class="num">{}</span>', _("order %(ref)s") % {"ref": entry.order_ref})
    if entry.author:
        yield format_html("<span>{}</span>", _("by %(name)s") % {"name": entry.author})


def _more(context: Context, entry: Entry) -> SafeString | str:
    """What is folded away: the lines of an order, and everything that was sent."""
    parts = [_lines(context, entry)] if entry.lines else []
    if entry.properties or entry.received_at:
        parts.append(_details(context, entry))
    if not parts:
        return ""
    return format_html('<div class="entry-more">{}</div>', format_html_join(" ", "{}", ((part,) for part in parts)))


def _lines(context: Context, entry: Entry) -> SafeString:
    count = len(entry.lines)
    rows = format_html_join(
        "",
        '<tr><td>{} <span class="muted">{}</span></td><td class="right num">{}</td><td class="right num">{}</td></tr>',
        (
            (line.name or line.product, line.product, number(line.quantity), money(context, line.amount))
            for line in entry.lines
        ),
    )
    return format_html(
        "<details><summary>{}{}</summary>"
        '<div class="scroller"><table class="table tight"><thead><tr><th>{}</th><th class="right">{}</th>'
        '<th class="right">{}</th></tr></thead><tbody>{}</tbody></table></div></details>',
        icon("chevron-right"),
        ngettext("%(n)s line", "%(n)s lines", count) % {"n": count},
        _("Product"),
        _("Quantity"),
        _("Amount"),
        rows,
    )


def _details(context: Context, entry: Entry) -> SafeString:
    pairs: list[tuple[str, SafeString | str]] = [
        (_("Type"), format_html('{} <span class="muted">({})</span>', entry.type, entry.role)),
        (_("Happened"), when(context, entry.at, "moment")),
    ]
    if entry.received_at:
        pairs.append((_("Received"), when(context, entry.received_at, "moment")))
    if entry.original:
        pairs.append((_("Original amount"), as_sent(entry.original)))
    return format_html(
        '<details><summary>{}{}</summary><dl class="pairs">{}</dl>{}</details>',
        icon("chevron-right"),
        _("Details"),
        format_html_join("", "<dt>{}</dt><dd>{}</dd>", [*pairs, *entry.properties]),
        _as_it_arrived(context, entry),
    )


def _as_it_arrived(context: Context, entry: Entry) -> SafeString | str:
    """The way to the message that told of it, for those who may see it, as long as messages are kept."""
    customer, now = getattr(context.get("customer"), "id", None), context.get("now")
    may = (context.get("can") or {}).get("messages_view", False)
    if not may or customer is None or now is None or entry.author or entry.received_at < now - KEEP:
        return ""
    address = reverse("customer_message", args=[customer, entry.id])
    return format_html('<a class="small" href="{}">{}</a>', address, _("The message as it arrived"))

"""The page of spend, told."""

from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from clm.lib.templatetags.numbers import money_text, number
from clm.lib.templatetags.times import plain_date

from ... import spend_table
from ...pages.spend import asked_spend
from ...pages.spend_cells import spend_cells
from ...spend_table import Asked, Total
from ..blocks import Block, Page, Table, Tile, table_of
from ..scopes import reporting

SHOWN = 20


def spend_told(query: QueryDict, *, now: datetime) -> Page:
    """What the page of spend says of a question."""
    asked, by = asked_spend(query)
    total, installation = spend_table.total(asked=asked), reporting()
    kept = [(key, value) for key, values in query.lists() if key != "cursor" for value in values if value]
    tiles = tuple(
        Tile(label, money_text(amount, installation))
        for label, amount in (
            (_("Spent"), total.amount),
            (_("Of which paid media"), total.paid_media),
            (_("Other"), total.other),
        )
    )
    warnings = []
    if total.made_up:
        warnings.append(
            _("Entries that are made up for the demonstration: %(number)s.") % {"number": number(total.made_up)}
        )
    return Page(
        _("Spend"),
        f"{reverse('spend')}?{urlencode(kept)}",
        _scope(asked, total),
        (Block(_("What marketing cost"), tiles=tiles, table=_rows(asked, by) if total.entries else None),),
        warnings=tuple(warnings),
        cells=tuple(spend_cells(asked, by)),
    )


def _scope(asked: Asked, total: Total) -> tuple[tuple[str, str], ...]:
    first, last = asked.start or total.first_day, total.last_day
    said = [(_("Period"), f"{plain_date(first)} – {plain_date(last)}")] if first and last else []
    if asked.channel:
        said.append((_("Channel"), asked.channel))
    if asked.campaign:
        said.append((_("Campaign"), asked.campaign))
    if asked.is_paid_media is not None:
        said.append((_("Kind"), _("Paid media") if asked.is_paid_media else _("Salaries and tools")))
    return tuple(said)


def _rows(asked: Asked, by: str) -> Table:
    installation = reporting()
    if by == "entry":
        entries = spend_table.all_entries(asked=asked, most=SHOWN + 1)
        return table_of(
            [_("Day"), _("Channel"), _("Campaign"), _("Kind"), _("Counts as")],
            [
                [
                    plain_date(one.day),
                    one.channel.key,
                    one.campaign.name if one.campaign else "–",
                    _("paid media") if one.is_paid_media else _("other"),
                    money_text(one.amount, installation),
                ]
                for one in entries
            ],
            texts=4,
            shown=SHOWN,
        )
    names = {"month": _("Month"), "channel": _("Channel"), "campaign": _("Campaign")}
    rows = []
    for row in spend_table.summed(asked=asked, by=by):
        label = f"{row.month:%B %Y}" if row.month else (row.label or _("No campaign"))
        amounts = (row.total.amount, row.total.paid_media, row.total.other)
        rows.append([label, *(money_text(one, installation) for one in amounts), number(row.total.entries)])
    return table_of([names[by], _("Spent"), _("Paid media"), _("Other"), _("Entries")], rows)

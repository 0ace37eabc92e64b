"""The page of support, told: in the words of the page, with times as people say them."""

from django.http import QueryDict
from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.templatetags.numbers import number, percent

from ...pages import support as page
from ...pages.asking import Question
from ...support import Support, support
from ..blocks import Block, Column, Table, Told, bars, table_of
from .in_frame import Answer

DRAWN = 10  # reasons in the picture


def support_answered(_query: QueryDict, asked: Question) -> Answer:
    """What the page of support says to a question."""
    found = support(scope=asked.scope)
    cells = tuple(page.support_cells(found))
    if not found.tickets:
        return Answer((), cells, warnings=(_("No tickets in this period."),))
    return Answer((_tickets(found), _waits(found), _reasons(found)), cells)


def _tickets(found: Support) -> Block:
    rows = [[str(page.BECAME[name]), number(one.tickets), number(one.customers)] for name, one in found.became.items()]
    said = _("Tickets per active customer: n/a, nobody was active in the period.")
    if found.per_active is not None:
        said = _("%(each)s tickets per active customer, of whom there were %(active)s in the period.") % {
            "each": floatformat(float(found.per_active), 3),
            "active": number(found.active),
        }
    names = [_("What became of them"), _("Tickets"), _("Customers")]
    drawn = [(row[0], float(one.tickets), row[1]) for row, one in zip(rows, found.became.values(), strict=True)]
    about = _("Of %(opened)s tickets opened in the period, what became of them.") % {"opened": number(found.tickets)}
    return Block(_("Tickets"), chart=bars(drawn, about), table=table_of(names, rows), notes=(said,))


def _waits(found: Support) -> Block:
    texts = (_("Until"), _("Counted"))
    numbers = (_("Tickets"), _("So far"), _("Half within"), _("Nine of ten within"))
    rows = tuple(
        (
            Told(row["title"]),
            Told(str(row["clock"])),
            Told(number(row["number"]), is_number=True),
            Told(number(row["ended"]), is_number=True),
            *(Told(said, is_number=True, note=interval) for said, interval in (row["median"], row["p90"])),
        )
        for row in (
            *page.waits_said(_("First answer"), found.first_response),
            *page.waits_said(_("Resolved"), found.resolution),
        )
    )
    columns = (*(Column(name, is_number=False) for name in texts), *(Column(name) for name in numbers))
    method = _(
        "First answer: the first reply, or being resolved without one. Resolved: the first time. By Kaplan-Meier, so "
        "that a ticket still waiting counts for as long as it has waited, with 95% intervals (Brookmeyer and Crowley, "
        "log-log)."
    )
    return Block(_("How long customers wait"), table=Table(columns, rows), notes=(page.hours_said(found), method))


def _reasons(found: Support) -> Block:
    rows = [
        [
            one.name or _("without a reason"),
            number(one.counted.tickets),
            percent(float(one.share)),
            " – ".join(percent(end) for end in one.interval) if one.interval else "",
            number(one.counted.customers),
        ]
        for one in found.reasons
    ]
    if found.further_reasons:
        others = ngettext("%(number)s other reason", "%(number)s other reasons", found.further_reasons)
        rows.append([others % {"number": number(found.further_reasons)}, number(found.further_tickets), "", "", ""])
    names = [_("Reason"), _("Tickets"), _("Share"), _("95% interval"), _("Customers")]
    said = _("The reason is what the opening of the ticket says: its property reason, else its subject.")
    drawn = [(row[0], float(one.counted.tickets), row[1]) for row, one in zip(rows, found.reasons, strict=False)][
        :DRAWN
    ]
    about = _("Tickets by what they are about; most often %(reason)s, %(tickets)s of them.") % {
        "reason": rows[0][0] if rows else "",
        "tickets": rows[0][1] if rows else "",
    }
    return Block(_("What about"), chart=bars(drawn, about), table=table_of(names, rows), notes=(said,))

"""What the page of spend shows, number by number, for files."""

from typing import Any

from analytics import spend_table
from analytics.files import Cell
from analytics.spend_table import Asked
from analytics.units import shown_number
from clm.lib.questions import QuestionError
from customers.models import Installation

MOST = 50_000


def spend_cells(asked: Asked, by: str) -> list[Cell]:
    """One row per number; QuestionError when there are more entries than a file of figures holds."""
    installation = Installation.current()
    currency, digits = installation.currency, installation.minor_digits
    kinds = {None: "", True: "paid", False: "other"}
    told = {
        "by": by,
        "channel": asked.channel,
        "campaign": asked.campaign,
        "kind": kinds[asked.is_paid_media],
        "from": asked.start.isoformat() if asked.start else "",
        "until": asked.until.isoformat() if asked.until else "",
        "currency": currency,
    }
    cells = [Cell("scope", name, "", value) for name, value in told.items()]

    def money(section: str, item: str, measure: str, amount: int) -> None:
        cells.append(Cell(section, item, measure, shown_number(amount, "money", digits), currency))

    total: Any = spend_table.total(asked=asked)
    for name in ("amount", "paid_media", "other"):
        money("total", "spent", name, getattr(total, name))
    cells.append(Cell("total", "spent", "entries", total.entries, "entries"))
    if by != "entry":
        for row in spend_table.summed(asked=asked, by=by):
            item = row.key
            for name in ("amount", "paid_media", "other"):
                money(f"by {by}", item, name, getattr(row.total, name))
            cells.append(Cell(f"by {by}", item, "entries", row.total.entries, "entries"))
        return cells
    if total.entries > MOST:
        raise QuestionError("by", f"a file holds at most {MOST} entries: narrow them, or ask for sums")
    for one in spend_table.all_entries(asked=asked, most=MOST):
        item = str(one.pk)
        cells.append(Cell("entries", item, "day", one.day.isoformat()))
        cells.append(Cell("entries", item, "channel", one.channel.key))
        cells.append(Cell("entries", item, "campaign", one.campaign.key if one.campaign else ""))
        cells.append(Cell("entries", item, "kind", kinds[one.is_paid_media]))
        cells.append(Cell("entries", item, "as entered", float(one.original_amount), one.currency))
        money("entries", item, "amount", one.amount)
    return cells

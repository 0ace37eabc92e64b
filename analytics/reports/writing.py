"""Writing a letter: what each page of a report says, as text, as HTML with pictures, and as files. Only the process
that writes letters imports this module, since it pays for drawing."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qs, urljoin, urlsplit

import css_inline
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.periods import zone_of
from clm.lib.templatetags.times import plain_date
from customers.models import Installation

from ..files import csv_text
from ..models import Report
from ..workbooks import book_of
from .blocks import Block, Page, Table
from .letters import FOOT, Letter
from .pictures import WIDTH, picture
from .spans import question_at
from .views import view_of

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_SUBJECT, MOST_LINKS = 200, 60


@dataclass(frozen=True, slots=True)
class _Shown:
    """A block as templates print it. cid: of its picture, "" without one."""

    block: Block
    cid: str

    @property
    def table(self) -> Table | None:
        """Its table as far as a mail shows it."""
        table = self.block.table
        if table is None or table.shown is None:
            return table
        return replace(table, rows=table.rows[: table.shown])

    @property
    def links_numbers(self) -> bool:
        """Whether each number of the table leads to the page; in a larger one the name of its row does, since mail
        programs cut what is longer than some 100 kB."""
        table = self.table
        return table is not None and sum(cell.is_number for row in table.rows for cell in row) <= MOST_LINKS

    @property
    def more(self) -> int:
        """How many rows only the page and the files show."""
        table = self.block.table
        return max(0, len(table.rows) - table.shown) if table and table.shown is not None else 0


def pages_of(*, report: Report, due_at: datetime, now: datetime) -> tuple[Page, ...]:
    """What the pages of a report say; QuestionError or NotThereError for what cannot be answered (any more)."""
    zone = Installation.current().time_zone
    found = []
    for told in report.pages:
        view = view_of(told["view"])
        question = question_at(view=view, question=told["question"], span=report.span, due_at=due_at, zone=zone)
        found.append(view.page(question, now=now))
    return tuple(found)


def letter_of(*, report: Report, due_at: datetime, now: datetime, missed: int = 0, is_test: bool = False) -> Letter:
    """Write the letter, as the installation speaks: in its language, with its days and times."""
    installation = Installation.current()
    zone = zone_of(installation.time_zone)
    with timezone.override(zone), translation.override(translation.get_language() or "en-gb"):
        pages = pages_of(report=report, due_at=due_at, now=now)
        pictures: list[tuple[str, bytes]] = []
        shown = []
        for page in pages:
            blocks = []
            for block in page.blocks:
                cid = ""
                if block.chart is not None:
                    cid = f"picture-{len(pictures) + 1}@report"
                    pictures.append((cid, picture(block.chart)))
                blocks.append(_Shown(block, cid))
            address = urljoin(report.site, page.address)
            shown.append({"page": page, "blocks": blocks, "address": address, "is_present": not _is_dated(page)})
        context = {
            "report": report,
            "installation": installation,
            "pages": shown,
            "written": _moment(now, installation),
            "late": _late(due_at, now, missed, installation) if not is_test else "",
            "is_test": is_test,
            "foot": FOOT,
            "width": WIDTH,
        }
        subject = " ".join(f"{report.name} · {_about(pages) or plain_date(due_at)}".split())
        if is_test:
            subject = _("Test: %(subject)s") % {"subject": subject}
        html = css_inline.inline(
            # What depends on the screen stays in the head, for the programs that read it.
            render_to_string("mail/report.html", context),
            keep_at_rules=True,
            load_remote_stylesheets=False,
        )
        text = re.sub(r"\n{3,}", "\n\n", render_to_string("mail/report.txt", context)).strip() + "\n"
        return Letter(subject[:LONGEST_SUBJECT], text, html, tuple(pictures), _files(report, pages))


def _moment(at: datetime, installation: Installation) -> str:
    local = at.astimezone(zone_of(installation.time_zone))
    return f"{plain_date(local.date())}, {local:%H:%M} ({installation.time_zone})"


def _late(due_at: datetime, now: datetime, missed: int, installation: Installation) -> str:
    """What is said of a letter that comes late, "" of one that does not."""
    said = []
    if (now - due_at).total_seconds() > 3_600:
        said.append(_("This was due on %(moment)s and comes late.") % {"moment": _moment(due_at, installation)})
    if missed:
        told = ngettext(
            "%(n)d earlier one, due while nothing could be sent, is left out.",
            "%(n)d earlier ones, due while nothing could be sent, are left out.",
            missed,
        )
        said.append(told % {"n": missed})
    return " ".join(said)


def _is_dated(page: Page) -> bool:
    """Whether its address leads to what was known at the instant it tells of."""
    return "as_of" in parse_qs(urlsplit(page.address).query)


def _about(pages: tuple[Page, ...]) -> str:
    """The period of the first page that has one."""
    return next((value for page in pages for name, value in page.scope if name == _("Period")), "")


def _files(report: Report, pages: tuple[Page, ...]) -> tuple[tuple[str, str, bytes], ...]:
    """What is attached: a CSV file for each page, one workbook for all of them."""
    found: list[tuple[str, str, bytes]] = []
    names: list[str] = []
    for told in report.pages:
        name = told["view"]
        names.append(name if name not in names else f"{name}-{len(names) + 1}")
    if report.with_csv:
        for name, page in zip(names, pages, strict=True):
            found.append((f"{name}.csv", "text/csv", csv_text(page.cells).encode()))
    if report.with_xlsx:
        several = len(pages) > 1
        book = book_of([(name if several else "", page.cells) for name, page in zip(names, pages, strict=True)])
        found.append(("report.xlsx", WORKBOOK, book))
    return tuple(found)

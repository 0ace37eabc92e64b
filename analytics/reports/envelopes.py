"""One letter to one address: its headers, its foot, and the parts in their order. A repetition is the same mail with
the same Message-ID, by which receivers know it."""

from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage as Mail
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..models import Report, Sending
from .leaving import leave_address
from .letters import FOOT, Letter


class _WholeHeader(UnstructuredHeader):
    """A header that is one word: folded it would be encoded, and no mail program would find the address in it."""

    def fold(self: Any, *, policy: EmailPolicy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _WholeHeader)  # type: ignore[arg-type]  # mixed with BaseHeader there
_POLICY = SMTP.clone(header_factory=_HEADERS, cte_type="7bit")


def sender() -> tuple[str, str]:
    """The name and the bare address that mails come from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)


def message_id(sending: Sending) -> str:
    """The same for every attempt to send this report, as of this instant, to this address."""
    mailing = sending.mailing
    told = f"{mailing.report_id} {mailing.kind} {mailing.due_at.timestamp()} {sending.address.lower()}"
    number = salted_hmac("clm.reports.message", told, algorithm="sha256").hexdigest()[:32]
    domain = sender()[1].rpartition("@")[2] or "localhost"
    return f"<report-{mailing.report_id}.{number}@{domain}>"


def mail_of(sending: Sending, letter: Letter) -> Mail:
    """What goes over the wire."""
    mailing, recipient = sending.mailing, sending.recipient
    report, name_and_address = mailing.report, sender()
    mail = Mail(policy=_POLICY)
    # A report may be named as one likes, even like the mark of the foot.
    mail["Subject"] = letter.subject.replace(FOOT, "")
    mail["From"] = Address(name_and_address[0], addr_spec=name_and_address[1])
    mail["To"] = Address(addr_spec=sending.address)
    mail["Date"] = format_datetime(_dated(mailing.written_at, mailing.due_at))
    mail["Message-ID"] = message_id(sending)
    # No out-of-office replies.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if recipient is None:  # a test that somebody asked for himself
        text, where = _("You asked for this test. The report is kept here:"), _address_of(report)
    else:
        text, where = _("You are on the list of this report. To receive it no more, open:"), leave_address(recipient)
        domain = name_and_address[1].rpartition("@")[2] or "localhost"
        mail["List-ID"] = f"report {report.pk} <report-{report.pk}.{domain}>"
        mail["List-Unsubscribe"] = f"<{where}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(letter.text.replace(FOOT, f"{text} {where}"))
    mail.add_alternative(letter.html.replace(FOOT, format_html('{} <a href="{}">{}</a>', text, where, where)), "html")
    _text, shown = mail.iter_parts()
    for cid, data in letter.pictures:
        name = f"{cid.partition('@')[0]}.png"
        shown.add_related(data, "image", "png", cid=f"<{cid}>", disposition="inline", filename=name)
    for name, kind, data in letter.files:
        main, _slash, sub = kind.partition("/")
        mail.add_attachment(data, main, sub, filename=name)
    return mail


def _dated(written_at: datetime | None, due_at: datetime) -> datetime:
    return written_at or due_at


def _address_of(report: Report) -> str:
    return urljoin(report.site, reverse("report", args=[report.pk]))

"""A mail server to send to, and reports with people on their lists."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from analytics.models import Mailing, Recipient, Report, Sending
from analytics.reports.letters import FOOT, Letter
from analytics.reports.planning import address
from customers.ingest import clock
from tests.factories import make_user

from .sink import Sink, mail_server

SITE = "https://clm.example.org/"
LETTER = Letter(
    "Figures · November",
    f"Active customers: 1,234\n.a line that begins with a dot\nGrüße\n\n{FOOT}\n",
    f'<p>Active customers: <b>1,234</b></p><img src="cid:picture-1@report" alt="A line"><p>{FOOT}</p>',
    (("picture-1@report", b"\x89PNG not really"),),
    (("overview.csv", "text/csv", b"a,b\r\n1,2\r\n"),),
)


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """The mail server of this installation."""
    with mail_server() as made:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.DEFAULT_FROM_EMAIL = "CLM <reports@clm.example.org>"
        yield made


def make_report(**more: Any) -> Report:
    """A report of the overview, due every day at eight."""
    now = more.pop("now", None) or clock()
    values: dict[str, Any] = {
        "name": "Figures",
        "pages": [{"view": "overview", "question": "period=30d"}],
        "cadence": "daily",
        "at": time(8),
        "site": SITE,
        "created_at": now,
        "handled_until": now,
        **more,
    }
    return Report.objects.create(**values)


def outsider(report: Report, to: str) -> Recipient:
    return Recipient.objects.create(report=report, address=to, added_at=clock())


def member(report: Report, role: str = "marketer", email: str | None = None) -> Recipient:
    return Recipient.objects.create(report=report, user=make_user(role, email), added_at=clock())


def ready(report: Report, *, due_at: datetime | None = None, letter: Letter = LETTER) -> Mailing:
    """A mailing that is written and is to be sent to everybody on the list."""
    now = clock()
    made = Mailing.objects.create(
        report=report,
        due_at=due_at or now - timedelta(minutes=1),
        try_at=now,
        state=Mailing.State.READY,
        subject=letter.subject,
        content=letter.packed(),
        written_at=now,
    )
    address(made, report.recipients.order_by("pk"), now=now)
    return made


def outcomes(mailing: Mailing) -> dict[str, str]:
    """By address what became of its mail."""
    return dict(Sending.objects.filter(mailing=mailing).values_list("address", "state"))

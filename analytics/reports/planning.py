"""Which reports are due, to whom they go. A report is planned once for an instant at which it is due: the row of the
mailing is unique, and how far a report is dealt with moves in the same transaction. What was missed while nobody was at
work is not made up for: the latest is sent, and says how many earlier ones are left out."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from clm.lib.access.invitations import sends_mail
from clm.lib.access.table import can
from customers.models import Installation

from ..models import Mailing, Recipient, Report, Sending
from .views import VIEWS

KEPT_FOR = timedelta(days=90)


def plan(*, now: datetime) -> int:
    """Plan every report that is due; how many were. While no mail server is named nothing is planned."""
    if not sends_mail():
        return 0
    zone = Installation.current().time_zone
    planned = 0
    for number in Report.objects.filter(paused_at=None).exclude(cadence=Report.Cadence.NEVER).values_list("pk"):
        with transaction.atomic():
            report = Report.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=number[0]).first()
            if report is not None:
                planned += _planned(report, now=now, zone=zone)
    return planned


def _planned(report: Report, *, now: datetime, zone: str) -> bool:
    schedule = report.schedule
    if report.paused_at is not None:
        return False
    due = schedule.last_until(now, zone=zone)
    if due is None or due <= report.handled_until:
        return False
    missed = sum(1 for one in schedule.between(report.handled_until, due, zone=zone) if one < due)
    report.handled_until = due
    report.save(update_fields=["handled_until"])
    recipients = receiving(report)
    if not recipients:
        return False
    mailing, is_new = Mailing.objects.get_or_create(
        report=report, due_at=due, kind=Mailing.Kind.DUE, defaults={"missed": missed, "try_at": now}
    )
    if is_new:
        address(mailing, recipients, now=now)
    return is_new


def receiving(report: Report) -> list[Recipient]:
    """Who receives a report now."""
    return [
        one
        for one in report.recipients.filter(left_at=None).select_related("user").order_by("pk")
        if not why_not(one, report)
    ]


def why_not(recipient: Recipient, report: Report) -> str:
    """Why somebody on the list is sent nothing, "" where nothing stands against it."""
    if recipient.left_at is not None:
        return "took himself off the list"
    user = recipient.user
    if user is None:
        return ""
    if not user.is_active:
        return "is shut out of this installation"
    if not all(can(user, VIEWS[page["view"]].permission) for page in report.pages if page["view"] in VIEWS):
        return "may not see a page of the report"
    return ""


def address(mailing: Mailing, recipients: Iterable[Recipient], *, now: datetime) -> None:
    """Write down that a mailing goes to these; an address gets it once, however often it is on the list."""
    Sending.objects.bulk_create(
        [
            Sending(
                mailing=mailing,
                recipient=one if one.pk else None,  # nobody's: a test
                user=one.user,
                address=one.user.email if one.user else one.address,
                try_at=now,
            )
            for one in recipients
        ],
        ignore_conflicts=True,
    )


def has_work(*, now: datetime) -> bool:
    """Whether a mailing is to be written or a mail to be sent."""
    written = Mailing.objects.filter(state=Mailing.State.WAITING, try_at__lte=now)
    open_ones = Sending.objects.filter(
        state__in=[Sending.State.WAITING, Sending.State.SENDING], try_at__lte=now, mailing__state=Mailing.State.READY
    )
    return written.exists() or (sends_mail() and open_ones.exists())


def forget_mailings(*, now: datetime) -> int:
    """Delete what was sent long ago, and previews of yesterday; how many mailings."""
    old = Q(due_at__lt=now - KEPT_FOR) | Q(kind=Mailing.Kind.PREVIEW, due_at__lt=now - timedelta(days=1))
    busy = Sending.objects.filter(state__in=[Sending.State.WAITING, Sending.State.SENDING]).values("mailing")
    return Mailing.objects.filter(old).exclude(pk__in=busy).delete()[1].get("analytics.Mailing", 0)

"""Keeping reports: what they hold, when they are due, who receives them. The rules are here; pages and the API ask
them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import QueryDict
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from clm.lib.access.invitations import sends_mail
from clm.lib.access.models import User
from clm.lib.questions import ConflictError, Faults, QuestionError

from ..models import Mailing, Recipient, Report, Sending
from .leaving import come_back
from .planning import address, why_not
from .schedule import LAST_DAY, MONTHLY, WEEKLY
from .spans import SPANS
from .views import view_of

LONGEST_NAME, LONGEST_QUESTION = 100, 1_000
MOST_PAGES, MOST_RECIPIENTS, MOST_WAITING = 8, 50, 5
_SITE = re.compile(r"https?://[^/\s]{1,180}/?")


# --- what a report holds --------------------------------------------------------------------------------------
def possible_name(text: str) -> str:
    """A name of a report, tidied; QuestionError for none."""
    name = " ".join(text.replace("\x00", " ").split())
    if not name:
        raise QuestionError("name", _("Give the report a name."))
    if len(name) > LONGEST_NAME:
        raise QuestionError("name", _("A name has at most %(most)s characters.") % {"most": LONGEST_NAME})
    return name


def possible_page(view: str, question: str, *, now: datetime) -> dict[str, str]:
    """A page with what it is asked, tidied and tried; QuestionError for what cannot be answered."""
    found = view_of(view)
    if len(question) > LONGEST_QUESTION:
        raise QuestionError("page", _("This address is too long for a report."))
    query = QueryDict(question)
    unknown = [name for name in query if name not in found.takes]
    if unknown:
        told = {"name": unknown[0][:40], "page": str(found.title)}
        raise QuestionError("page", _("The page “%(page)s” takes no parameter “%(name)s”.") % told)
    asked = urlencode([(name, value) for name, values in query.lists() for value in values if value])
    found.page(asked, now=now)
    return {"view": view, "question": asked}


def possible_schedule(told: Mapping[str, Any]) -> dict[str, Any]:
    """When a report is due, without what its rhythm does not need."""
    cadence = told.get("cadence", Report.Cadence.NEVER)
    with_faults = Faults()
    if cadence not in Report.Cadence.values:
        with_faults.note(QuestionError("cadence", _("A report comes daily, weekly, monthly or never by itself.")))
    weekday, day = told.get("weekday"), told.get("day")
    if cadence == WEEKLY and weekday not in range(7):
        with_faults.note(QuestionError("weekday", _("Say on which day of the week.")))
    if cadence == MONTHLY and day not in range(LAST_DAY, 32):
        with_faults.note(QuestionError("day", _("Say on which day of the month, 1 to 31, or on its last.")))
    if told.get("at") is None:
        with_faults.note(QuestionError("at", _("Say at what time.")))
    with_faults.refuse()
    return {
        "cadence": cadence,
        "weekday": weekday if cadence == WEEKLY else None,
        "day": day if cadence == MONTHLY else None,
        "at": told["at"].replace(second=0, microsecond=0, tzinfo=None),
    }


def possible_span(span: str) -> str:
    """What a report is about; QuestionError for what nobody knows."""
    if span not in SPANS:
        raise QuestionError("span", _("A report is about one of %(known)s.") % {"known": ", ".join(SPANS)})
    return span


def create_report(*, told: Mapping[str, Any], owner: User | None, site: str, now: datetime) -> Report:
    """Save a report. told: name, pages (a list of view and question), span, cadence, weekday, day, at, with_csv,
    with_xlsx. site: scheme and host under which whoever saves it sees this installation."""
    if not _SITE.fullmatch(site):
        raise QuestionError("site", _("This is no address of an installation."))
    values = _checked(told, now=now)
    return Report.objects.create(**values, owner=owner, site=site, created_at=now, handled_until=now)


def change_report(*, report: Report, told: Mapping[str, Any], site: str, now: datetime) -> Report:
    """Change a report; what is not told stays. Another schedule counts from now on."""
    names = ("name", "pages", "span", "cadence", "weekday", "day", "at", "with_csv", "with_xlsx")
    with transaction.atomic():
        found = Report.objects.select_for_update(no_key=True).get(pk=report.pk)
        before = found.schedule
        values = _checked({**{name: getattr(found, name) for name in names}, **told}, now=now)
        for name, value in values.items():
            setattr(found, name, value)
        if found.schedule != before:
            found.handled_until = now
        found.site = site
        found.save()
    return found


def _checked(told: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    faults = Faults()
    name = faults.read(lambda: possible_name(told.get("name") or ""), "")
    span = faults.read(lambda: possible_span(told.get("span") or "asked"), "asked")
    schedule = faults.read(lambda: possible_schedule(told), {})
    pages = told.get("pages") or []
    if not 1 <= len(pages) <= MOST_PAGES:
        said = _("A report holds one to %(most)s pages of figures.") % {"most": MOST_PAGES}
        faults.note(QuestionError("pages", said))
        pages = []
    kept = faults.read(lambda: [possible_page(one["view"], one.get("question", ""), now=now) for one in pages], [])
    faults.refuse()
    return {
        "name": name,
        "pages": kept,
        "span": span,
        "with_csv": bool(told.get("with_csv")),
        "with_xlsx": bool(told.get("with_xlsx")),
        **schedule,
    }


def add_page(*, report: Report, view: str, question: str, now: datetime) -> Report:
    """Put one more page into a report; one that is in it stays once."""
    page = possible_page(view, question, now=now)
    with transaction.atomic():
        found = Report.objects.select_for_update(no_key=True).get(pk=report.pk)
        if page in found.pages:
            raise ConflictError(_("This page is in the report already, asked the same."))
        if len(found.pages) >= MOST_PAGES:
            raise ConflictError(_("A report holds at most %(most)s pages.") % {"most": MOST_PAGES})
        found.pages = [*found.pages, page]
        found.save(update_fields=["pages"])
    return found


def take_out_page(*, report: Report, place: int) -> Report:
    """Take the page at a place (from 0) out of a report."""
    with transaction.atomic():
        found = Report.objects.select_for_update(no_key=True).get(pk=report.pk)
        if not 0 <= place < len(found.pages):
            raise QuestionError("page", _("There is no such page in the report."))
        if len(found.pages) == 1:
            raise ConflictError(_("A report holds at least one page. Remove the report instead."))
        found.pages = [page for at, page in enumerate(found.pages) if at != place]
        found.save(update_fields=["pages"])
    return found


def pause(*, report: Report, now: datetime) -> None:
    """Send it to nobody until somebody says so; what is on its way arrives."""
    Report.objects.filter(pk=report.pk, paused_at=None).update(paused_at=now)


def resume(*, report: Report, now: datetime) -> None:
    """Send it again from its next instant on; those that passed meanwhile are not made up for."""
    Report.objects.filter(pk=report.pk).exclude(paused_at=None).update(paused_at=None, handled_until=now)


def remove_report(*, report: Report) -> None:
    """Forget a report and what was sent of it."""
    report.delete()


# --- who receives it ------------------------------------------------------------------------------------------
def possible_address(text: str) -> str:
    """A mail address, as it is sent to; QuestionError for none."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        said = _("“%(text)s” is no mail address.") % {"text": text.strip()[:80]}
        raise QuestionError("address", said) from None
    return (found.ascii_email or found.normalized).lower()


def add_user(*, report: Report, user: User, by: str, now: datetime) -> Recipient:
    """Send it to somebody who signs in here and may see what is in it."""
    reason = why_not(Recipient(report=report, user=user), report)
    if reason:
        raise QuestionError("user", _("This person may not receive it: %(reason)s.") % {"reason": reason})
    known = report.recipients.filter(user=user).exclude(left_at=None).first()
    if known is not None:
        if by != user.email:
            raise ConflictError(_("This person left the list of this report; only he can come back."))
        come_back(recipient=known)
        return known
    return _added(report, user=user, by=by, now=now)


def add_outsider(*, report: Report, text: str, by: str, now: datetime) -> Recipient:
    """Send it to an address outside. Whoever took himself off stays off."""
    wanted = possible_address(text)
    user = User.objects.filter(email__iexact=wanted, is_active=True).first()
    if user is not None:
        return add_user(report=report, user=user, by=by, now=now)
    if report.recipients.filter(user=None, address__iexact=wanted).exclude(left_at=None).exists():
        raise ConflictError(_("Whoever reads this address left the list of this report; only he can come back."))
    return _added(report, address=wanted, by=by, now=now)


def _added(report: Report, *, by: str, now: datetime, **who: Any) -> Recipient:
    with transaction.atomic():
        Report.objects.select_for_update(no_key=True).get(pk=report.pk)
        if report.recipients.filter(left_at=None).count() >= MOST_RECIPIENTS:
            raise ConflictError(_("A report goes to at most %(most)s recipients.") % {"most": MOST_RECIPIENTS})
        try:
            with transaction.atomic():
                return Recipient.objects.create(report=report, added_by=by[:254], added_at=now, **who)
        except IntegrityError:
            raise ConflictError(_("This person receives the report already.")) from None


def remove_recipient(*, recipient: Recipient) -> None:
    """Send it to somebody no more. That somebody took himself off stays written down."""
    Recipient.objects.filter(pk=recipient.pk, left_at=None).delete()


# --- now ------------------------------------------------------------------------------------------------------
def ask_preview(*, report: Report, by: str, now: datetime) -> Mailing:
    """Have the letter written as it would be sent now, and send it to nobody."""
    return _asked(report, Mailing.Kind.PREVIEW, by=by, now=now)


def ask_test(*, report: Report, user: User, now: datetime) -> Mailing:
    """Send it now to whoever asks, and to nobody else."""
    refuse_without_mail()
    with transaction.atomic():
        mailing = _asked(report, Mailing.Kind.TEST, by=user.email, now=now)
        address(mailing, [Recipient(report=report, user=user)], now=now)
    return mailing


def refuse_without_mail() -> None:
    """ConflictError while no mail server is named."""
    if not sends_mail():
        raise ConflictError(_("This installation sends no mail: no mail server is named (EMAIL_URL)."))


def _asked(report: Report, kind: str, *, by: str, now: datetime) -> Mailing:
    waiting = Mailing.objects.filter(report=report, state=Mailing.State.WAITING).exclude(kind=Mailing.Kind.DUE)
    if waiting.count() >= MOST_WAITING:
        raise ConflictError(_("Others of this report are being written; wait for them first."))
    return Mailing.objects.create(report=report, kind=kind, due_at=now, try_at=now, asked_by=by[:254])


def send_again(*, sending: Sending, now: datetime) -> None:
    """Send one mail once more that was refused, or of which nobody knows whether it arrived. It carries the same
    Message-ID, by which many mail programs know a repetition."""
    refuse_without_mail()
    again = [Sending.State.UNKNOWN, Sending.State.REFUSED]
    changed = Sending.objects.filter(pk=sending.pk, state__in=again, mailing__content__isnull=False).update(
        state=Sending.State.WAITING,
        try_at=now,
        claimed_at=None,
        body_at=None,
        ended_at=None,
        forgiven=F("attempts"),
        words="",
    )
    if not changed:
        raise ConflictError(_("Only a mail that was refused, or whose fate is unknown, is sent once more."))

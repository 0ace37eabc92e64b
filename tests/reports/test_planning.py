"""What is due is planned once, and what was missed is left out and told."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from analytics.models import Mailing, Recipient, Report, Sending
from analytics.reports.keeping import (
    add_outsider,
    add_page,
    add_user,
    ask_preview,
    ask_test,
    change_report,
    create_report,
    pause,
    remove_recipient,
    resume,
    take_out_page,
)
from analytics.reports.leaving import leave
from analytics.reports.planning import forget_mailings, has_work, plan
from clm.lib.questions import ConflictError, QuestionError
from customers.ingest import clock
from customers.models import Installation
from tests.factories import make_user
from tests.lifecycle.making import installed

from .conftest import SITE, make_report, member, outcomes, outsider, ready

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)  # a Monday; seven in Berlin
TOLD: dict[str, Any] = {
    "name": "Weekly",
    "pages": [{"view": "metrics", "question": "period=30d"}],
    "cadence": "weekly",
    "weekday": 0,
    "at": time(8),
}


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    installed()
    Installation.objects.update(time_zone="Europe/Berlin")


def daily(**more: Any) -> Report:
    report = make_report(now=MORNING, **more)
    outsider(report, "ann@example.org")
    return report


def test_an_instant_is_planned_once_however_often_one_looks() -> None:
    report = daily()
    assert plan(now=MORNING + timedelta(minutes=59)) == 0
    assert plan(now=MORNING + timedelta(minutes=60)) == 1
    assert plan(now=MORNING + timedelta(hours=5)) == 0
    mailing = Mailing.objects.get()
    assert (mailing.report_id, mailing.due_at, mailing.missed) == (report.pk, MORNING + timedelta(hours=1), 0)
    assert outcomes(mailing) == {"ann@example.org": "waiting"}
    assert plan(now=MORNING + timedelta(hours=25)) == 1


def test_after_a_standstill_the_latest_is_sent_and_says_how_many_are_left_out() -> None:
    daily()
    assert plan(now=MORNING + timedelta(days=9, hours=3)) == 1
    mailing = Mailing.objects.get()
    assert mailing.due_at == MORNING + timedelta(days=9, hours=1)
    assert mailing.missed == 9


def test_what_was_due_while_it_was_paused_is_not_made_up_for() -> None:
    report = daily()
    pause(report=report, now=MORNING)
    assert plan(now=MORNING + timedelta(days=3)) == 0
    resume(report=report, now=MORNING + timedelta(days=3))
    assert plan(now=MORNING + timedelta(days=3, minutes=30)) == 0
    assert plan(now=MORNING + timedelta(days=3, hours=1)) == 1
    assert Mailing.objects.get().missed == 0


def test_another_rhythm_counts_from_now_on() -> None:
    report = daily()
    now = MORNING + timedelta(days=2, minutes=30)
    changed = change_report(report=report, told={"at": time(6)}, site=SITE, now=now)
    assert plan(now=now) == 0
    assert changed.schedule.next_after(now, zone="Europe/Berlin") == datetime(2026, 6, 4, 4, 0, tzinfo=UTC)
    # Another name is no other rhythm.
    change_report(report=report, told={"name": "Other"}, site=SITE, now=now + timedelta(days=3))
    assert plan(now=now + timedelta(days=3)) == 1


def test_without_a_mail_server_nothing_is_planned_and_nothing_is_lost(settings: Any) -> None:
    daily()
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert plan(now=MORNING + timedelta(days=2, hours=3)) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert plan(now=MORNING + timedelta(days=2, hours=3)) == 1


def test_who_may_not_receive_it_is_not_planned_for() -> None:
    report = daily()
    leave(recipient=report.recipients.get(), now=MORNING)
    gone = member(report, "viewer")
    gone.user.is_active = False
    gone.user.save()
    assert plan(now=MORNING + timedelta(hours=2)) == 0
    assert not Mailing.objects.exists()
    stays = member(report, "viewer")
    # An address that is on the list twice is sent one mail.
    outsider(report, stays.user.email.upper())
    assert plan(now=MORNING + timedelta(days=1, hours=2)) == 1
    assert Sending.objects.count() == 1


def test_there_is_work_only_when_something_can_be_done() -> None:
    now = clock()
    assert not has_work(now=now)
    report = daily()
    ask_preview(report=report, by="ann", now=now)
    assert has_work(now=now)


def test_what_was_sent_is_forgotten_after_90_days_and_a_preview_after_one() -> None:
    report = daily()
    now = clock()
    old, young = ready(report, due_at=now - timedelta(days=91)), ready(report, due_at=now - timedelta(days=89))
    seen = Mailing.objects.create(
        report=report, kind="preview", due_at=now - timedelta(days=2), try_at=now, state="ready"
    )
    assert forget_mailings(now=now) == 1  # the old one still waits for its mail
    Sending.objects.update(state=Sending.State.SENT)
    assert forget_mailings(now=now) == 1
    assert list(Mailing.objects.values_list("pk", flat=True)) == [young.pk]
    assert not Mailing.objects.filter(pk__in=[old.pk, seen.pk]).exists()


# --- keeping ---------------------------------------------------------------------------------------------------
def test_a_report_is_saved_with_what_its_page_is_asked_and_nothing_else() -> None:
    pages = [{"view": "metrics", "question": "period=90d&basis=&segment=active_customer"}]
    made = create_report(told={**TOLD, "day": 4, "pages": pages}, owner=None, site=SITE, now=MORNING)
    assert made.pages == [{"view": "metrics", "question": "period=90d&segment=active_customer"}]
    assert (made.weekday, made.day) == (0, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"cadence": "hourly"}, "cadence"),
        ({"weekday": 7}, "weekday"),
        ({"weekday": None}, "weekday"),
        ({"cadence": "monthly", "day": None}, "day"),
        ({"cadence": "monthly", "day": 32}, "day"),
        ({"at": None}, "at"),
        ({"span": "next_week"}, "span"),
        ({"pages": []}, "pages"),
        ({"pages": [{"view": "customers", "question": ""}]}, "page"),
        ({"pages": [{"view": "metrics", "question": "period=forty"}]}, "period"),
        ({"pages": [{"view": "metrics", "question": "stage=retention"}]}, "page"),
        ({"pages": [{"view": "metrics", "question": "q=" + "x" * 2_000}]}, "page"),
    ],
)
def test_what_cannot_be_a_report_is_refused_beside_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(QuestionError) as refused:
        create_report(told={**TOLD, **changes}, owner=None, site=SITE, now=MORNING)
    assert field in {error.field for error in refused.value.errors}
    assert not Report.objects.exists()


def test_pages_are_put_in_and_taken_out() -> None:
    report = create_report(told=TOLD, owner=None, site=SITE, now=MORNING)
    add_page(report=report, view="spend", question="by=month", now=MORNING)
    with pytest.raises(ConflictError):
        add_page(report=report, view="spend", question="by=month", now=MORNING)
    assert [page["view"] for page in take_out_page(report=report, place=0).pages] == ["spend"]
    with pytest.raises(ConflictError):
        take_out_page(report=report, place=0)


def test_nobody_is_put_on_a_list_twice_and_who_left_comes_back_only_by_himself() -> None:
    report = daily()
    with pytest.raises(ConflictError):
        add_outsider(report=report, text=" Ann@Example.org ", by="admin@example.org", now=MORNING)
    with pytest.raises(QuestionError):
        add_outsider(report=report, text="nobody", by="admin@example.org", now=MORNING)
    leave(recipient=report.recipients.get(), now=MORNING)
    remove_recipient(recipient=report.recipients.get())
    with pytest.raises(ConflictError):
        add_outsider(report=report, text="ann@example.org", by="admin@example.org", now=MORNING)
    reader = make_user("viewer")
    # The address of somebody who signs in here is that person.
    added = add_outsider(report=report, text=reader.email, by="admin@example.org", now=MORNING)
    assert (added.user_id, added.address) == (reader.pk, "")
    leave(recipient=added, now=MORNING)
    with pytest.raises(ConflictError):
        add_user(report=report, user=reader, by="admin@example.org", now=MORNING)
    add_user(report=report, user=reader, by=reader.email, now=MORNING)
    assert Recipient.objects.get(pk=added.pk).left_at is None


def test_a_test_goes_to_whoever_asks_and_to_nobody_else(settings: Any) -> None:
    report, asker = daily(), make_user("marketer")
    mailing = ask_test(report=report, user=asker, now=MORNING)
    assert outcomes(mailing) == {asker.email: "waiting"}
    assert mailing.kind == "test"
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    with pytest.raises(ConflictError):
        ask_test(report=report, user=asker, now=MORNING + timedelta(hours=1))

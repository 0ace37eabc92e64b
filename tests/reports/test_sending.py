"""A mail is sent once to everybody: whatever the mail server answers, and whoever is killed in between."""

import re
import threading
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.test import Client

from analytics.models import Recipient, Sending
from analytics.reports.envelopes import message_id
from analytics.reports.keeping import send_again
from analytics.reports.leaving import leave, leave_address
from analytics.reports.letters import FOOT
from analytics.reports.sending import SCHEDULE, TRIES, claim, hand_over, left_behind, record, send_reports
from clm.lib.mail_dialog import Post
from clm.lib.questions import ConflictError
from customers.ingest import clock
from tests.lifecycle.test_kills import Child

from .conftest import LETTER, SITE, make_report, member, outcomes, outsider, ready
from .sink import Sink

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The mail server is a thread of this process; whoever is forked here only sends, and is killed.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
ANN, BOB, CY = "ann@example.org", "bob@example.org", "cy@example.org"


def send() -> int:
    return send_reports(seconds=30.0)


def later(**changes: Any) -> None:
    """Time passes: whatever waits for its next try is due."""
    Sending.objects.filter(state=Sending.State.WAITING).update(try_at=clock() - timedelta(seconds=1), **changes)


def test_everybody_is_sent_the_same_mail_once(sink: Sink) -> None:
    report = make_report()
    for one in (ANN, BOB):
        outsider(report, one)
    colleague = member(report).user
    mailing = ready(report)
    assert send() == 3
    assert send() == 0
    assert outcomes(mailing) == {ANN: "sent", BOB: "sent", colleague.email: "sent"}
    assert sorted(to for to, _mail in sink.mails) == sorted([ANN, BOB, colleague.email])
    row = Sending.objects.get(address=ANN)
    assert (row.code, row.words, row.attempts) == (250, "Taken", 1)


def test_the_mail_says_the_same_as_text_and_as_html_and_carries_its_pictures_and_files(sink: Sink) -> None:
    report = make_report()
    to = outsider(report, ANN)
    mailing = ready(report)
    send()
    (mail,) = sink.to(ANN)
    assert mail["Subject"] == "Figures · November"
    assert mail["From"] == "CLM <reports@clm.example.org>"
    assert mail["To"] == ANN
    assert mail["Message-ID"] == message_id(Sending.objects.get(mailing=mailing))
    assert abs((parsedate_to_datetime(mail["Date"]) - mailing.written_at).total_seconds()) < 1
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/csv",
    ]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and html is not None
    # The address stands in both, whole, and a dot that begins a line is still there once.
    where = leave_address(to)
    assert where in text.get_content() and where in html.get_content()
    assert "\r\n.a line that begins with a dot\r\nGrüße" in text.get_content()
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<picture-1@report>"
    assert "cid:picture-1@report" in html.get_content()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["overview.csv"]


def test_the_way_out_is_told_to_mail_programs_unbroken(sink: Sink) -> None:
    report = make_report()
    to = outsider(report, ANN)
    ready(report)
    send()
    head = sink.raw[0].partition(b"\r\n\r\n")[0].decode()
    assert f"List-Unsubscribe: <{leave_address(to)}>\r\n" in head
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in head
    assert leave_address(to).startswith(SITE)


def test_one_click_takes_somebody_off_without_cookies_and_opening_does_not(sink: Sink) -> None:
    report = make_report()
    to = outsider(report, ANN)
    path = leave_address(to).removeprefix(SITE.rstrip("/"))
    stranger = Client(enforce_csrf_checks=True)
    assert stranger.get(path).status_code == 200
    assert Recipient.objects.get(pk=to.pk).left_at is None
    assert stranger.post(path[:-2] + "x/", {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert Recipient.objects.get(pk=to.pk).left_at is None
    answer = stranger.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers or "sessionid" not in answer.headers["Set-Cookie"]
    assert Recipient.objects.get(pk=to.pk).left_at is not None
    mailing = ready(report)
    send()
    assert outcomes(mailing) == {ANN: "left_out"}
    assert sink.mails == []


def test_who_left_between_planning_and_sending_is_left_out(sink: Sink) -> None:
    report = make_report()
    gone, off, shut = outsider(report, ANN), outsider(report, BOB), member(report)
    mailing = ready(report)
    leave(recipient=gone, now=clock())
    off.delete()
    shut.user.is_active = False
    shut.user.save()
    assert send() == 0
    assert set(outcomes(mailing).values()) == {"left_out"}
    words = set(Sending.objects.values_list("words", flat=True))
    assert words == {"took himself off the list", "was taken off the list", "is shut out of this installation"}


# --- what the mail server answers ------------------------------------------------------------------------------
def test_a_refusal_is_kept_in_the_servers_words_and_keeps_nobody_else_from_his_mail(sink: Sink) -> None:
    report = make_report()
    for one in (ANN, BOB, CY):
        outsider(report, one)
    mailing = ready(report)
    sink.answer("RCPT", ANN, "550 5.1.1 no such user here")
    sink.answer("END", BOB, "554 5.7.1 looks like spam")
    assert send() == 1
    assert outcomes(mailing) == {ANN: "refused", BOB: "refused", CY: "sent"}
    told = dict(Sending.objects.values_list("address", "words"))
    assert told[ANN] == "5.1.1 no such user here"
    assert told[BOB] == "5.7.1 looks like spam"
    assert send() == 0  # for good


@pytest.mark.parametrize("step", ["RCPT", "END"])
def test_a_temporary_refusal_is_tried_again_later_and_sent_once(sink: Sink, step: str) -> None:
    report = make_report()
    outsider(report, ANN)
    mailing = ready(report)
    sink.answer(step, ANN, "451 4.7.1 greylisted, come back")
    assert send() == 0
    row = Sending.objects.get()
    assert (row.state, row.code, row.attempts) == ("waiting", 451, 1)
    assert abs((row.try_at - clock()).total_seconds() - SCHEDULE[0]) < 30
    assert send() == 0  # not before its time
    first = message_id(row)
    later()
    assert send() == 1
    assert outcomes(mailing) == {ANN: "sent"}
    assert [mail["Message-ID"] for mail in sink.to(ANN)] == [first]


def test_what_is_refused_for_now_for_ever_is_given_up(sink: Sink) -> None:
    report = make_report()
    outsider(report, ANN)
    mailing = ready(report)
    sink.answer("RCPT", ANN, *["452 4.2.2 mailbox full"] * TRIES)
    for _try in range(TRIES):
        assert outcomes(mailing) == {ANN: "waiting"}
        later()
        assert send() == 0
    assert outcomes(mailing) == {ANN: "refused"}
    # Somebody who knows that there is room again asks for it once more.
    send_again(sending=Sending.objects.get(), now=clock())
    assert send() == 1
    assert outcomes(mailing) == {ANN: "sent"}
    with pytest.raises(ConflictError):
        send_again(sending=Sending.objects.get(), now=clock())


def test_while_the_mail_server_is_away_nothing_is_lost(sink: Sink, settings: Any) -> None:
    report = make_report()
    outsider(report, ANN)
    mailing = ready(report)
    settings.EMAIL_PORT = 1
    assert send() == 0
    row = Sending.objects.get()
    assert (row.state, row.words) == ("waiting", "the connection was refused")
    settings.EMAIL_PORT = sink.port
    later()
    assert send() == 1
    assert outcomes(mailing) == {ANN: "sent"}


def test_a_mail_that_got_no_answer_is_told_as_unknown_and_not_sent_again(sink: Sink) -> None:
    report = make_report()
    for one in (ANN, BOB):
        outsider(report, one)
    mailing = ready(report)
    sink.drops.add("TAKEN")
    assert send() == 0
    sink.drops.clear()
    later()
    assert send() == 0
    assert outcomes(mailing) == {ANN: "unknown", BOB: "unknown"}
    assert len(sink.mails) == 2  # they had arrived, which nobody here could know


def test_without_a_mail_server_nothing_is_sent(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    report = make_report()
    outsider(report, ANN)
    mailing = ready(report)
    assert send() == 0
    assert outcomes(mailing) == {ANN: "waiting"}


# --- who is killed ---------------------------------------------------------------------------------------------
def killed_at(sink: Sink, step: str) -> None:
    """Somebody sends, and is killed while the mail server is silent at that step."""
    sink.hangs.add(step)
    child = Child(send)
    assert sink.reached.wait(60)
    child.kill()
    sink.hangs.clear()


def test_who_is_killed_before_the_mail_left_has_sent_nothing_and_it_is_sent_later(sink: Sink) -> None:
    report = make_report()
    for one in (ANN, BOB):
        outsider(report, one)
    mailing = ready(report)
    killed_at(sink, "RCPT")
    assert outcomes(mailing) == {ANN: "sending", BOB: "waiting"}
    assert sink.mails == []
    assert send_when_free() == 2
    assert outcomes(mailing) == {ANN: "sent", BOB: "sent"}
    assert sorted(to for to, _mail in sink.mails) == [ANN, BOB]


def test_who_is_killed_before_the_answer_leaves_a_mail_of_which_nobody_knows(sink: Sink) -> None:
    report = make_report()
    for one in (ANN, BOB):
        outsider(report, one)
    mailing = ready(report)
    killed_at(sink, "TAKEN")
    assert outcomes(mailing) == {ANN: "sending", BOB: "waiting"}
    assert send_when_free() == 1
    assert outcomes(mailing) == {ANN: "unknown", BOB: "sent"}
    assert [to for to, _mail in sink.mails] == [ANN, BOB]  # not twice
    assert "before the mail server answered" in Sending.objects.get(address=ANN).words


def send_when_free() -> int:
    """Send as soon as the session of whoever was killed has ended, and its lock with it."""
    for _try in range(200):
        sent = send()
        if sent or not Sending.objects.filter(state__in=["waiting", "sending"]).exists():
            return sent
        threading.Event().wait(0.05)
    raise AssertionError("the lock of a killed process is still held")


def test_who_has_lost_his_claim_lets_no_byte_of_the_mail_leave(sink: Sink) -> None:
    """A process that was taken for gone goes on: somebody else has the mail in hand by then."""
    report = make_report()
    outsider(report, ANN)
    mailing = ready(report)
    slow = claim(now=clock())
    assert slow is not None
    left_behind(now=clock())
    assert send() == 1
    post = Post(seconds=10)
    answer = hand_over(slow, post)
    record(slow, answer, now=clock())
    post.close()
    assert answer.kind == "taken away"
    assert outcomes(mailing) == {ANN: "sent"}
    assert len(sink.mails) == 1


def test_two_who_send_at_once_send_each_mail_once(sink: Sink) -> None:
    report = make_report()
    everybody = [f"reader{n}@example.org" for n in range(12)]
    for one in everybody:
        outsider(report, one)
    mailing = ready(report)
    children = [Child(send) for _ in range(3)]
    for child in children:
        child.end()
    send()
    assert set(outcomes(mailing).values()) == {"sent"}
    assert sorted(to for to, _mail in sink.mails) == sorted(everybody)


def test_the_log_names_nobody(sink: Sink, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    report = make_report()
    outsider(report, ANN)
    ready(report)
    sink.answer("RCPT", ANN, f"550 {ANN} is unknown here")
    send()
    ours = [record for record in caplog.records if record.name.startswith(("analytics", "clm"))]
    assert ours
    assert not re.search(r"\S@\S", " ".join(f"{one.getMessage()} {vars(one)}" for one in ours))


def test_no_mail_carries_the_mark_of_its_foot(sink: Sink) -> None:
    marked = replace(
        LETTER, subject=f"Figures {FOOT}", text=f"{FOOT} named so\n{FOOT}\n", html=f"<h1>{FOOT}</h1>{FOOT}"
    )
    report = make_report()
    outsider(report, "ann@example.org")
    ready(report, letter=marked)
    send_reports(seconds=30.0)
    ((_address, mail),) = sink.mails
    texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    assert len(texts) >= 2
    assert not any(FOOT in text for text in [str(mail["Subject"]), *texts])

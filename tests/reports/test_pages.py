"""The pages of reports: saved from a page of figures, looked at, sent, left."""

import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.test import Client

from analytics.models import Mailing, Recipient, Report, Sending
from analytics.reports.letters import Letter
from analytics.reports.sending import send_reports
from clm.lib.periods import local_day
from customers.ingest import clock
from customers.models import Installation
from lifecycle.models import Segment
from tests.keeping.conftest import browsers, faults, installed_once, people, said  # noqa: F401 (fixtures)

from .conftest import LETTER, make_report, member, outsider, ready

pytestmark = pytest.mark.django_db


@pytest.fixture
def marketer(browsers: dict[str, Client]) -> Client:  # noqa: F811
    return browsers["marketer"]


@pytest.fixture
def admin(browsers: dict[str, Client]) -> Client:  # noqa: F811
    return browsers["admin"]


FILLED = {"name": "Weekly figures", "span": "last_week", "cadence": "weekly", "weekday": "0", "day": "0", "at": "07:30"}


def filled(**changes: str) -> dict[str, str]:
    return {**FILLED, "form_id": str(uuid4()), **changes}


def test_a_page_of_figures_leads_to_a_report_that_is_asked_the_same(marketer: Client) -> None:
    page = marketer.get("/metrics/?period=90d&basis=paid").content.decode()
    (where,) = set(re.findall(r'href="(/reports/new/\?[^"]+)"', page))
    where = where.replace("&amp;", "&")
    assert parse_qs(urlsplit(where).query) == {"page": ["metrics"], "question": ["period=90d&basis=paid"]}
    assert marketer.get(where).status_code == 200
    answer = marketer.post(where, filled(with_xlsx="on"))
    report = Report.objects.get()
    assert answer["Location"] == f"/reports/{report.pk}/"
    assert report.pages == [{"view": "metrics", "question": "period=90d&basis=paid"}]
    assert (report.span, report.cadence, report.weekday, report.with_xlsx) == ("last_week", "weekly", 0, True)
    assert report.site == "http://testserver/"
    shown = marketer.get(answer["Location"]).content.decode()
    assert "Every Monday at 07:30" in shown
    assert "Nobody receives this report yet" in shown


def test_a_page_seen_from_the_past_is_saved_without_that_date_and_says_so(marketer: Client) -> None:
    where = "/reports/new/?page=metrics&question=period%3D90d%26as_of%3D2026-01-31"
    assert "every mail would say the same past again" in marketer.get(where).content.decode()
    plain = marketer.get("/reports/new/?page=metrics&question=period%3D90d").content.decode()
    assert "every mail would say" not in plain and "Last 90 days" in plain
    marketer.post(where, filled())
    assert Report.objects.get().pages == [{"view": "metrics", "question": "period=90d"}]


def test_a_report_says_its_period_in_words(marketer: Client) -> None:
    pages = [{"view": "metrics", "question": "from=2026-01-01&until=2026-02-01&basis=paid"}]
    weekly, own = make_report(pages=pages, span="last_week"), make_report(pages=pages)
    held = marketer.get(f"/reports/{weekly.pk}/").content.decode().split("What it holds")[1].split("</table>")[0]
    assert "The last full week, Monday to Sunday · costs on: Paid media, customers won by it" in held
    shown = marketer.get(f"/reports/{own.pk}/").content.decode()
    days = "2026-01-01 until 2026-02-01, each time the same days"
    assert f"{days} · costs on: Paid media, customers won by it" in shown


def test_a_page_of_a_report_leads_to_the_period_of_the_report(marketer: Client) -> None:
    asked = {"view": "acquisition", "question": "goal=every&window=45&period=90d"}
    monthly, own = make_report(pages=[asked], span="last_month"), make_report(pages=[asked])
    (link,) = _links(marketer, monthly)
    until = local_day(clock(), Installation.current().time_zone).replace(day=1)
    first = (until - timedelta(days=1)).replace(day=1)
    days = {"from": [first.isoformat()], "until": [until.isoformat()]}
    assert parse_qs(urlsplit(link).query) == {"goal": ["every"], "window": ["45"], **days}
    assert _links(marketer, own) == ["/acquisition/?goal=every&window=45&period=90d"]


def _links(browser: Client, report: Report) -> list[str]:
    """Where the pages of a report lead."""
    held = browser.get(f"/reports/{report.pk}/").content.decode().split("What it holds")[1].split("</table>")[0]
    return [unescape(each) for each in re.findall(r'<th scope="row"><a href="([^"]+)"', held)]


@pytest.mark.parametrize(
    ("view", "asked", "words"),
    [
        ("acquisition", "goal=every&window=45", "The last full month · Every order · within 45 days"),
        (
            "acquisition",
            "window=1&attribution=linear&lag=1",
            "within 1 day · credited by Linear · Spend of a month",
        ),
        (
            "retention",
            "by=signup&unit=week&mode=after&show=count",
            "by sign-up · each a week · who ordered in that",
        ),
        (
            "retention",
            "by=segment:vip&versus=vip&segment=vip",
            "by first entry into VIP · compared with VIP · among",
        ),
        ("overview", "compare=year&lines=products", "compared with the same days a year before · products only"),
        ("acquisition", "goal=odd&window=%C2%B2&segment=gone", "goal: odd · window: ² · segment: gone"),
    ],
)
def test_a_report_says_what_it_is_asked_in_the_words_of_the_page(
    view: str, asked: str, words: str, marketer: Client
) -> None:
    Segment.objects.create(key="vip", name="VIP", kind="segment")
    report = make_report(pages=[{"view": view, "question": asked}], span="last_month")
    text = unescape(marketer.get(f"/reports/{report.pk}/").content.decode())
    assert words in text.split("What it holds")[1].split("</table>")[0]


def test_whoever_may_not_keep_reports_is_led_to_none(browsers: dict[str, Client]) -> None:  # noqa: F811
    for role in ("viewer", "agent"):
        assert "/reports/" not in browsers[role].get("/metrics/").content.decode()
        assert browsers[role].get("/reports/").status_code == 403


def test_what_is_wrong_is_said_beside_its_field(marketer: Client) -> None:
    answer = marketer.post("/reports/new/?page=metrics", filled(name="", at="noon"))
    assert answer.status_code == 422
    assert set(faults(answer)) == {"name", "at"}
    assert marketer.get("/reports/new/?page=customers").status_code == 400
    assert marketer.get("/reports/new/?page=metrics&question=period%3Dforty").status_code == 400


def test_the_same_form_twice_is_one_report(marketer: Client) -> None:
    told = filled()
    for _ in range(2):
        assert marketer.post("/reports/new/?page=spend", told).status_code == 302
    assert Report.objects.count() == 1


def test_a_page_is_put_into_a_report_that_there_is(marketer: Client) -> None:
    report = make_report()
    marketer.post("/reports/new/?page=spend&question=by%3Dmonth", {"into": report.pk})
    report.refresh_from_db()
    assert [page["view"] for page in report.pages] == ["overview", "spend"]
    marketer.post(f"/reports/{report.pk}/", {"act": "take out", "place": "0"})
    report.refresh_from_db()
    assert [page["view"] for page in report.pages] == ["spend"]


def test_users_are_put_on_the_list_by_marketers_and_addresses_by_admins(
    marketer: Client,
    admin: Client,
    people: dict[str, Any],  # noqa: F811
) -> None:
    report = make_report()
    where = f"/reports/{report.pk}/"
    marketer.post(where, {"act": "add", "user": people["viewer"].pk})
    assert report.recipients.get().user == people["viewer"]
    assert marketer.get(f"{where}outside/").status_code == 403
    assert admin.post(f"{where}outside/", {"address": "no address"}).status_code == 422
    assert admin.post(f"{where}outside/", {"address": "Partner@Example.org"}).status_code == 302
    outside = report.recipients.get(user=None)
    assert (outside.address, outside.added_by) == ("partner@example.org", people["admin"].email)
    marketer.post(where, {"act": "off", "recipient": outside.pk})
    assert not report.recipients.filter(user=None).exists()


def test_a_test_and_a_preview_are_asked_for_and_shown(marketer: Client, people: dict[str, Any]) -> None:  # noqa: F811
    report = make_report(pages=[{"view": "metrics", "question": "period=30d"}])
    where = f"/reports/{report.pk}/"
    test, preview = (marketer.post(where, {"act": act})["Location"] for act in ("test", "preview"))
    assert "is being written" in marketer.get(test).content.decode()
    assert send_reports(seconds=60.0) == 1  # into the test's own box
    assert Sending.objects.get().state == "sent"
    for address in (test, preview):
        shown = marketer.get(address).content.decode()
        assert "<iframe" in shown and "Customer retention rate" in shown
        assert "[[foot" not in shown
        assert shown.count("Here stands how one receives it no more.") == 2  # as HTML and as text
    assert not Recipient.objects.exists()


def test_the_style_sheet_of_a_shown_letter_is_allowed_and_no_other(marketer: Client) -> None:
    report = make_report(pages=[{"view": "metrics", "question": "period=30d"}])
    preview = marketer.post(f"/reports/{report.pk}/", {"act": "preview"})["Location"]
    strict = marketer.get(preview)["Content-Security-Policy"]
    assert strict == marketer.get("/reports/")["Content-Security-Policy"]
    send_reports(seconds=60.0)
    answer = marketer.get(preview)
    letter = unescape(answer.content.decode().split('srcdoc="')[1].split('"')[0])
    (sheet,) = re.findall(r"<style[^>]*>(.*?)</style>", letter, re.DOTALL)
    allowed = f"'sha256-{b64encode(sha256(sheet.encode()).digest()).decode()}'"
    assert answer["Content-Security-Policy"] == strict.replace("style-src 'self'", f"style-src 'self' {allowed}")


def test_a_page_that_waited_for_its_letter_loads_anew_and_so_gets_the_letters_policy(marketer: Client) -> None:
    report = make_report(pages=[{"view": "metrics", "question": "period=30d"}])
    preview = marketer.post(f"/reports/{report.pk}/", {"act": "preview"})["Location"]
    waiting = {"HX-Request": "true"}
    assert f'hx-get="{preview}"' in marketer.get(preview).content.decode()
    assert "HX-Refresh" not in marketer.get(preview, headers=waiting).headers
    send_reports(seconds=60.0)
    assert marketer.get(preview, headers=waiting)["HX-Refresh"] == "true"
    assert "HX-Refresh" not in marketer.get(preview).headers


def test_the_box_of_a_test_holds_one_whole_mail(
    marketer: Client,
    mailoutbox: list[Any],
    people: dict[str, Any],  # noqa: F811
) -> None:
    report = make_report(pages=[{"view": "overview", "question": ""}], with_csv=True)
    marketer.post(f"/reports/{report.pk}/", {"act": "test"})
    send_reports(seconds=60.0)
    (mail,) = mailoutbox
    assert mail.to == [people["marketer"].email]
    whole = mail.message()
    assert whole["List-Unsubscribe"] is None  # nobody is on a list because of a test
    assert whole.get_content_type() == "multipart/mixed"


def test_an_installation_without_mail_says_so_and_still_shows_what_it_would_send(
    marketer: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    report = make_report(pages=[{"view": "spend", "question": ""}])
    where = f"/reports/{report.pk}/"
    for address in ("/reports/", where):
        assert "sends no mail" in marketer.get(address).content.decode()
    assert "Send me a test" not in marketer.get(where).content.decode()
    assert "no mail server" in " ".join(said(marketer.post(where, {"act": "test"}, follow=True)))
    preview = marketer.post(where, {"act": "preview"})["Location"]
    assert send_reports(seconds=60.0) == 0
    assert "<iframe" in marketer.get(preview).content.decode()


def test_what_became_of_each_mail_is_told_in_the_servers_words(marketer: Client) -> None:
    report = make_report()
    for name in ("ann", "bob", "cy"):
        outsider(report, f"{name}@example.org")
    mailing = ready(report)
    for name, state, words in (
        ("ann", "sent", "2.0.0 queued"),
        ("bob", "refused", "5.1.1 <b>no such user"),
        ("cy", "unknown", ""),
    ):
        Sending.objects.filter(address=f"{name}@example.org").update(state=state, words=words, code=250)
    where = f"/reports/{report.pk}/mailings/{mailing.pk}/"
    shown = marketer.get(where).content.decode()
    assert "5.1.1 &lt;b&gt;no such user" in shown
    assert "It is not sent again by itself" in shown
    assert shown.count("Send once more") == 2
    again = Sending.objects.get(address="cy@example.org")
    assert marketer.post(f"/reports/{report.pk}/", {"act": "again", "sending": again.pk})["Location"] == where
    again.refresh_from_db()
    assert again.state == "waiting"
    sent = Sending.objects.get(address="ann@example.org")
    answer = marketer.post(f"/reports/{report.pk}/", {"act": "again", "sending": sent.pk}, follow=True)
    assert "Only a mail that was refused" in " ".join(said(answer))


def test_a_report_is_paused_resumed_edited_and_removed(marketer: Client) -> None:
    report = make_report()
    where = f"/reports/{report.pk}/"
    marketer.post(where, {"act": "pause"})
    assert "Paused since" in marketer.get(where).content.decode()
    marketer.post(where, {"act": "resume"})
    assert marketer.get(f"{where}edit/").status_code == 200
    assert marketer.post(f"{where}edit/", filled(name="Other", cadence="monthly")).status_code == 302
    report.refresh_from_db()
    assert (report.name, report.cadence, report.day, report.paused_at) == ("Other", "monthly", 0, None)
    assert "On the last day of every month" in marketer.get(where).content.decode()
    member(report)
    ready(report)
    assert marketer.post(f"{where}remove/").status_code == 302
    assert not Report.objects.exists() and not Mailing.objects.exists()


def test_a_reader_leaves_and_comes_back_by_the_link_of_his_mail(sink: Any) -> None:
    report = make_report()
    to = outsider(report, "ann@example.org")
    ready(report)
    send_reports(seconds=30.0)
    ((_address, mail),) = sink.mails
    path = urlsplit(str(mail["List-Unsubscribe"]).strip("<>")).path
    reader = Client()
    assert "no more?" in reader.get(path).content.decode()
    assert "no more" in reader.post(path, {"act": "leave"}).content.decode()
    to.refresh_from_db()
    assert to.left_at is not None
    assert "again" in reader.post(path, {"act": "back"}).content.decode()
    to.refresh_from_db()
    assert to.left_at is None
    assert Letter.unpacked(LETTER.packed()) == LETTER

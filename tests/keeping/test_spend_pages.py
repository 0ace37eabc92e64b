"""Spend on the pages: narrowing, entering, correcting, bringing in a file after a look at it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from analytics.made_up_spend import make_up_spend
from campaigns.keeping import create_campaign
from campaigns.models import Spend
from campaigns.spending import enter_spend
from customers.ingest import clock
from customers.models import Channel
from tests.factories import make_spend
from tests.keeping.conftest import faults, said

SPENT = {"day": "2026-03-01", "channel": "search", "campaign": "", "amount": "12.50", "currency": "EUR"}
FILE = "day,channel,amount\n2026-03-01,search,12.50\n2026-03-02,social,7\n"


def stored() -> list[tuple[str, str, int]]:
    return [(f"{one.day}", one.channel.key, one.amount) for one in Spend.objects.order_by("day", "pk")]


def test_a_day_is_entered_corrected_and_taken_back(marketer: Client) -> None:
    answer = marketer.post("/spend/new/", {**SPENT, "is_paid_media": "on"}, follow=True)
    assert "entered" in said(answer)[0]
    assert stored() == [("2026-03-01", "search", 1250)]
    one = Spend.objects.get()
    assert 'value="12.50"' in marketer.get(f"/spend/{one.pk}/").content.decode()
    marketer.post(f"/spend/{one.pk}/", {**SPENT, "amount": "99", "channel": "Social"})
    assert stored() == [("2026-03-01", "social", 9900)]
    assert not Spend.objects.get().is_paid_media
    assert "€99.00" in marketer.get(f"/spend/{one.pk}/remove/").content.decode()
    assert stored()
    marketer.post(f"/spend/{one.pk}/remove/")
    assert stored() == []


def test_every_fault_is_named_at_once_and_what_was_typed_stays(marketer: Client) -> None:
    told = {"day": "2999-01-01", "channel": "two words", "amount": "-5", "currency": "EURO", "campaign": ""}
    answer = marketer.post("/spend/new/", told)
    assert answer.status_code == 422
    assert set(faults(answer)) == {"day", "channel", "amount", "currency"}
    for typed in ("2999-01-01", "two words", "-5", "EURO"):
        assert f'value="{typed}"' in answer.content.decode()
    unread = marketer.post("/spend/new/", {**told, "day": "soon"})
    assert set(faults(unread)) == {"day", "channel", "amount", "currency"}
    assert set(faults(marketer.post("/spend/new/", {"amount": "much"}))) == {"day", "channel", "amount", "currency"}
    assert stored() == []


def test_an_entry_that_exists_is_led_to(marketer: Client) -> None:
    marketer.post("/spend/new/", SPENT)
    answer = marketer.post("/spend/new/", {**SPENT, "amount": "20"})
    assert answer.status_code == 422
    assert f'href="/spend/{Spend.objects.get().pk}/"' in faults(answer)["__all__"]


def test_an_amount_in_a_currency_without_a_rate_names_the_currency(marketer: Client) -> None:
    told = faults(marketer.post("/spend/new/", {**SPENT, "currency": "usd"}))
    assert set(told) == {"currency"}
    assert "USD" in told["currency"]
    assert "An admin enters one under Exchange rates" in told["currency"]
    assert "manage.py" not in told["currency"]


@pytest.fixture
def some_spend(marketer: Client) -> None:
    create_campaign(key="spring", name="Spring")
    make_spend("2026-01-31", 1_000, channel="search")
    make_spend("2026-02-01", 2_000, channel="social")
    make_spend("2026-02-02", 4_000, channel="team", paid=False)
    enter_spend(channel="search", day=dt.date(2026, 2, 3), amount=Decimal("80"), now=clock(), campaign="spring")


@pytest.mark.parametrize(
    ("query", "amount"),
    [
        ("", 15_000),
        ("?channel=search", 9_000),
        ("?campaign=spring", 8_000),
        ("?campaign=none", 7_000),
        ("?kind=paid", 11_000),
        ("?kind=other", 4_000),
        ("?from=2026-02-01&until=2026-02-03", 6_000),
        ("?channel=search&campaign=spring&kind=paid&from=2026-02-03", 8_000),
        ("?channel=social&campaign=spring", 0),
    ],
)
def test_filters_are_in_the_address_and_hold_together(
    query: str, amount: int, some_spend: None, marketer: Client
) -> None:
    answer = marketer.get(f"/spend/{query}")
    assert answer.context["total"].amount == amount
    assert sum(one.amount for one in answer.context["entries"].rows) == amount
    for by in ("month", "channel", "campaign"):
        rows = marketer.get(f"/spend/{query}{'&' if query else '?'}by={by}").context["rows"]
        assert sum(row.total.amount for row in rows) == amount


def test_filters_that_cannot_be_used_are_named_on_the_page(some_spend: None, marketer: Client) -> None:
    answer = marketer.get("/spend/?channel=nobody&from=soon&until=2026-02-30&kind=free&by=year")
    assert answer.status_code == 400
    assert set(faults(answer)) == {"channel", "from", "until", "kind", "by"}
    assert set(faults(marketer.get("/spend/?from=2026-02-02&until=2026-02-02"))) == {"until"}


def test_entries_are_turned_over_without_losing_any(marketer: Client) -> None:
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=n // 2) for n in range(120)]
    for n, day in enumerate(days):
        make_spend(f"{day}", 100 + n, channel=("search", "social")[n % 2])
    seen, query = [], ""
    while True:
        page = marketer.get(f"/spend/{query}").context["entries"]
        seen += [(one.day, one.pk) for one in page.rows]
        if page.next_cursor is None:
            break
        query = f"?cursor={page.next_cursor}"
    assert len(seen) == len(set(seen)) == 120
    assert seen == sorted(seen, reverse=True)
    back = marketer.get(f"/spend/?cursor={page.previous_cursor}").context["entries"]
    assert [(one.day, one.pk) for one in back.rows] == seen[50:100]
    assert marketer.get("/spend/?cursor=x").status_code == 400


def test_a_file_is_looked_at_first_and_entered_as_a_whole(marketer: Client) -> None:
    upload = SimpleUploadedFile("spend.csv", b"\xef\xbb\xbf" + FILE.encode())
    look = marketer.post("/spend/file/", {"file": upload})
    assert [line.does for line in look.context["checked"].lines] == ["new", "new"]
    assert stored() == []
    assert "Enter all lines" in look.content.decode()
    done = marketer.post("/spend/file/", {"text": FILE, "enter": "1"}, follow=True)
    assert "2 entries are new" in said(done)[0]
    assert len(stored()) == 2
    again = marketer.post("/spend/file/", {"text": FILE, "enter": "1"}, follow=True)
    assert "nothing changed" in said(again)[0]


def test_faulty_lines_are_marked_the_text_stays_and_nothing_is_entered(marketer: Client) -> None:
    text = FILE + "soon,search,much\n"
    answer = marketer.post("/spend/file/", {"text": text, "enter": "1"})
    page = answer.content.decode()
    assert stored() == []
    assert "Enter all lines" not in page
    assert "soon,search,much" in page
    assert page.count('class="error"') == 2
    assert answer.context["shown"][0].line.does == "faulty"


def test_what_is_no_text_is_said(marketer: Client) -> None:
    answer = marketer.post("/spend/file/", {"file": SimpleUploadedFile("spend.xlsx", b"PK\x03\x04\xff\xfe\xfa")})
    assert answer.status_code == 422
    assert "CSV UTF-8" in faults(answer)["text"]
    assert "text" in faults(marketer.post("/spend/file/", {"text": ""}))
    utf16 = SimpleUploadedFile("spend.txt", FILE.encode("utf-16"))
    assert marketer.post("/spend/file/", {"file": utf16}).context["checked"].count("new") == 2


def test_the_example_on_the_page_can_be_entered_as_it_stands(marketer: Client) -> None:
    example = marketer.get("/spend/file/").context["example"]
    done = marketer.post("/spend/file/", {"text": example, "enter": "1"}, follow=True)
    assert "2 entries are new" in said(done)[0]


def test_what_the_demonstration_made_up_says_so(marketer: Client) -> None:
    make_up_spend(first=dt.date(2026, 3, 1), last=dt.date(2026, 3, 3))
    make_spend("2026-03-01", 1_000)
    text = marketer.get("/spend/").content.decode()
    assert "made up for the demonstration" in text
    assert text.count(">made up<") == marketer.get("/spend/").context["total"].made_up
    assert "made up for the demonstration" not in marketer.get("/spend/?channel=ads").content.decode()
    assert "made up for the demonstration" in marketer.get("/campaigns/made-up-team/").content.decode()


def test_a_viewer_looks_and_is_offered_nothing_more(browsers: dict[str, Client]) -> None:
    make_spend("2026-03-01", 1_000)
    text = browsers["viewer"].get("/spend/").content.decode()
    assert "/spend/new/" not in text
    assert "Correct" not in text
    assert browsers["viewer"].post("/spend/new/", SPENT).status_code == 403


def test_a_long_list_costs_no_more_queries(marketer: Client, django_assert_max_num_queries: Any) -> None:
    for n in range(60):
        make_spend(f"{dt.date(2025, 1, 1) + dt.timedelta(days=n)}", 100 + n)
    marketer.get("/spend/")
    with django_assert_max_num_queries(14):
        marketer.get("/spend/")


def test_a_channel_that_was_never_seen_is_marked_with_the_one_it_may_be(marketer: Client) -> None:
    Channel.objects.create(key="search")
    text = "day,channel,amount\n2026-01-01,serach,10\n2026-01-01,search,10\n2026-01-02,podcast,10\n"
    look = marketer.post("/spend/file/", {"text": text})
    assert look.context["new_channels"] == [("podcast", ""), ("serach", "search")]
    assert [one.is_new_channel for one in look.context["shown"]] == [True, False, True]
    page = look.content.decode()
    assert "known: search" in page
    assert page.count("new channel<") == 2
    known = marketer.post("/spend/file/", {"text": "day,channel,amount\n2026-01-01,search,10\n"})
    assert "never seen before" not in known.content.decode()

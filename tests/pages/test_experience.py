"""The pages of experience and support: their numbers open lists as long as they say, and files hold the same."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client

from analytics.feedback import Response, feedback
from analytics.intervals import wilson
from analytics.pages.experience import experience_cells, survey_shown
from customers.events import Event
from tests.pages.conftest import Shop


@pytest.fixture(scope="module")
def answers(shop: Shop) -> Shop:
    """Everybody was asked, two of three answered; every fourth opened a ticket."""
    events = []

    def said(person: str, name: str, hours: float, **properties: object) -> None:
        events.append(
            Event(
                message_id=f"{person} {name} {hours} {sorted(properties)}",
                identities=(("external_id", person),),
                type=name,
                channel="email",
                occurred_at=shop.now - timedelta(hours=hours),
                properties=properties,
            )
        )

    for n in range(120):
        person = str(1000 + n)
        hours = 24 + n * 5
        if n % 3:
            said(person, "Survey Answered", hours, nps=n % 11, comment=f"A <b>word</b> from {n}")
            said(person, "Survey Answered", hours + 24 * 60, csat=1 + n % 5)
            said(person, "Survey Answered", hours + 1, ces=1 + n % 7)
        if n % 4 == 0:
            said(
                person,
                "Ticket Opened",
                hours,
                ticket_ref=f"T{n}",
                event="opened",
                reason=("late & lost", "")[n % 8 > 3],
            )
            if n % 8 == 0:
                said(person, "Ticket Replied", hours - 20, ticket_ref=f"T{n}", event="replied")
    shop.tell(events)
    return shop


@pytest.fixture
def viewer(answers: Shop) -> Client:
    return answers.client("viewer")


LINK = re.compile(r'<a[^>]* href="(/customers/\?group=[^"]+)"[^>]*>([0-9,]+)</a>')


@pytest.mark.parametrize("address", ["/experience/?period=365d", "/experience/?model=five", "/support/?period=90d"])
def test_every_number_opens_a_list_of_that_many(address: str, viewer: Client) -> None:
    text = viewer.get(address).content.decode()
    found = {(unescape(where), int(count.replace(",", ""))) for where, count in LINK.findall(text)}
    assert len(found) > 3
    for where, count in sorted(found):
        page = viewer.get(where)
        assert page.status_code == 200, where
        assert page.context["matching"].number == count, where


def test_a_score_of_few_answers_is_not_told(viewer: Client) -> None:
    surveys = viewer.get("/experience/?period=30d").context["surveys"]
    by_key = {one["kind"].key: one for one in surveys}
    assert re.fullmatch(r"[+−]?[0-9]+", by_key["nps"]["score"]["value"])
    assert by_key["csat"]["score"]["value"] == "n/a"
    assert "nobody is known to have been asked" in by_key["nps"]["response"].note


@pytest.mark.parametrize("name", ["experience", "support"])
def test_a_file_holds_what_the_page_shows(name: str, viewer: Client) -> None:
    answer = viewer.get(f"/{name}.csv?period=90d")
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["section"] for row in rows} >= {"scope"}
    assert len(rows) > 30
    assert viewer.get(f"/{name}.json?period=90d").json()["scope"]["segment"] == ""
    assert viewer.get(f"/{name}.xml?period=90d").status_code == 404


def test_the_file_tells_of_a_response_rate_all_that_the_page_does(viewer: Client) -> None:
    found = feedback(scope=viewer.get("/experience/?period=90d").context["scope"])
    survey = replace(found.surveys[0], response=Response(200, 84, Fraction(84, 200), wilson(84, 200)))
    found = replace(found, surveys=(survey,))
    told = {cell.measure: (cell.value, cell.unit) for cell in experience_cells(found) if cell.section == "response"}
    assert told["asked without an answer"] == (116, "customers")
    assert told["response rate"] == (42, "percent")
    assert told["95% interval from"] == (pytest.approx(35.37, abs=0.01), "percent")
    assert told["95% interval to"] == (pytest.approx(48.93, abs=0.01), "percent")
    for label, count, _url in survey_shown(found, survey)["asked"]:
        assert told[str(label)][0] == count


def test_every_number_of_tickets_opens_a_list_of_that_many_and_each_its_page(viewer: Client) -> None:
    text = viewer.get("/support/?period=365d").content.decode()
    links = re.findall(r'<a href="(/support/tickets/\?which=[^"]+)">([0-9,]+)</a>', text)
    assert len(links) > 4
    for where, count in links:
        page = viewer.get(unescape(where))
        assert page.context["found"].number == int(count.replace(",", "")), where
    rows = viewer.get("/support/tickets/?period=365d&which=reason:late+%26+lost").context["rows"]
    rows = [row for row in rows if row["answered"]]  # others may have opened tickets in this shop, too
    assert rows[0]["answered"] == "20 hours"
    one = viewer.get(rows[0]["url"])
    text = one.content.decode()
    assert [entry.type for entry in one.context["found"].entries] == ["Ticket Opened", "Ticket Replied"]
    assert "late &amp; lost" in text and "waiting so far" in text
    customer = rows[0]["ticket"].customer
    assert f'href="/customers/{customer}/"' in text
    timeline = viewer.get(f"/customers/{customer}/timeline/").content.decode()
    assert rows[0]["url"] in unescape(timeline)
    assert viewer.get(f"/customers/{customer}/ticket/?ref=none").status_code == 404
    assert viewer.get("/support/tickets/?which=closed").status_code == 400


def test_what_people_wrote_is_text_and_paged(viewer: Client) -> None:
    page = viewer.get("/experience/answers/?period=365d")
    text = page.content.decode()
    assert "A &lt;b&gt;word&lt;/b&gt; from" in text
    assert len(page.context["comments"]) == 50
    after = viewer.get(f"/experience/answers/?period=365d&cursor={page.context['next_cursor']}")
    assert len(after.context["comments"]) == 30
    assert viewer.get("/experience/answers/?kind=sad").status_code == 400
    assert viewer.get("/experience/answers/?which=11").status_code == 400


def test_dates_go_along_from_tickets_answers_and_timelines(answers: Shop, viewer: Client) -> None:
    then = {"as_of": f"{(answers.now - timedelta(days=3)).date()}"}
    address = urlencode({"period": "365d", **then})
    page = viewer.get(f"/support/tickets/?{address}")
    (row, *_others), text = page.context["rows"], unescape(page.content.decode())
    customer = row["ticket"].customer
    assert f'href="{row["url"]}&{urlencode(then)}"' in text
    assert f'href="/customers/{customer}/?{urlencode(then)}"' in text
    page = viewer.get(f"/experience/answers/?{address}")
    author = page.context["comments"][0].customer
    assert f'href="/customers/{author}/?{urlencode(then)}"' in page.content.decode()
    for dates in (then, {**then, "known_at": f"{answers.now.date()}"}, {}):  # the shop was told of everything today
        query = urlencode(dates)
        also, only = (f"&{query}", f"?{query}") if dates else ("", "")
        for shown in (f"/customers/{customer}/{only}", f"/customers/{customer}/timeline/{only}"):
            text = unescape(viewer.get(shown).content.decode())
            assert f'href="{row["url"]}{also}"' in text, shown
        text = unescape(viewer.get(f"/customers/{customer}/timeline/{only}").content.decode())
        assert f'href="/customers/{customer}/{only}"' in text and f'href="/customers/{only}"' in text
    text = unescape(viewer.get(f"{row['url']}&{urlencode(then)}").content.decode())
    assert f'href="/support/tickets/?{urlencode(then)}"' in text


def test_the_line_below_a_ticket_s_name_ends_where_nothing_follows(answers: Shop, viewer: Client) -> None:
    rows = viewer.get("/support/tickets/?period=365d&which=reason:late+%26+lost").context["rows"]
    below = re.compile(r"<h1 .*?</h1>(?:<p[^>]*>(.*?)</p>)?</div></div>", re.DOTALL)
    said = below.search(viewer.get(rows[0]["url"]).content.decode())
    assert said is not None and re.sub("<[^>]+>", "", said[1]) == "late &amp; lost"
    said = below.search(viewer.get(f"{rows[0]['url']}&as_of={answers.now.date()}").content.decode())
    assert said is not None and re.sub("<[^>]+>", "", said[1]).startswith("late &amp; lost · as of ")


def test_a_ticket_before_it_was_opened_says_so_and_leads_to_now(answers: Shop, viewer: Client) -> None:
    row = viewer.get("/support/tickets/?period=365d&which=reason:late+%26+lost").context["rows"][0]
    then = f"as_of={(row['ticket'].opened_at - timedelta(days=2)).date()}"
    page = viewer.get(f"{row['url']}&{then}")
    text = unescape(page.content.decode())
    assert page.status_code == 404
    assert f"Ticket {row['ticket'].ref} was opened later, on " in text
    assert "This customer has no ticket" not in text
    assert "Back to now" in text
    where = f"/customers/{row['ticket'].customer}/"
    assert f'href="{where}?{then}"' in text
    now = re.search(r'<a class="button primary" href="([^"]+)">Show the ticket as it is now', text)
    assert now is not None and viewer.get(f"{where}ticket/{now[1]}" if now[1][0] == "?" else now[1]).status_code == 200
    none = viewer.get(f"{where}ticket/?ref=none&{then}")
    assert none.status_code == 404 and "This customer has no ticket none." in none.content.decode()
    for address in (f"{where}ticket/", f"{where}ticket/?ref=&{then}"):
        page = viewer.get(address)
        assert page.status_code == 400 and "Say which ticket" in page.content.decode()


def test_whoever_has_neither_name_nor_address_is_called_as_on_the_own_page(answers: Shop, viewer: Client) -> None:
    said = Event(
        message_id="nobody's answer",
        identities=(("external_id", "Visitor-13017"),),
        type="Survey Answered",
        channel="email",
        occurred_at=answers.now - timedelta(hours=2),
        properties={"ces": 3, "comment": "Took a while"},
    )
    answers.tell([said])
    page = viewer.get("/experience/answers/?period=365d&kind=ces")
    (one,) = page.context["comments"]
    assert f'<a href="/customers/{one.customer}/">Visitor-13017</a>' in page.content.decode()
    assert '<h1 id="customer-name">Visitor-13017</h1>' in viewer.get(f"/customers/{one.customer}/").content.decode()

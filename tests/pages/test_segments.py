"""Segments in the hands of marketers: lists made and filled, versions read and brought back, what is used kept."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from playwright.sync_api import Page, expect

from customers.models import Profile, ScoreStep
from lifecycle.install import build, draft, new_segment, publish
from lifecycle.list_members import add_members, members_on
from lifecycle.models import ListMember, Revision, Segment, Version
from lifecycle.revise import add_segment
from tests.pages.conftest import MODES, Shop, faults, look, overflow

ODD = "100% “off” %s's 🙂 <b>"
BUYERS = {"did": {"role": "purchase"}, "at_least": 2}


@pytest.fixture(scope="module")
def marketer(shop: Shop) -> Client:
    return shop.client("marketer")


@pytest.fixture(scope="module")
def twice(shop: Shop) -> Segment:
    """A segment with an odd name in its second version."""
    build(versions=[new_segment(key="twice", name=ODD, rule=BUYERS)], now=timezone.now())
    found = Segment.objects.get(key="twice")
    build(versions=[draft(subject=found, document={"rule": {**BUYERS, "at_least": 3}}, note=ODD)], now=timezone.now())
    return found


@pytest.fixture(scope="module")
def fair(shop: Shop, marketer: Client) -> Segment:
    """A static list made on the page."""
    made = marketer.post("/segments/lists/new/", {"name": "Spring fair", "key": "", "description": ODD})
    assert made["Location"] == "/segments/spring-fair/list/"
    return Segment.objects.get(key="spring-fair")


def said(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_nobody_in_a_segment_by_a_score_is_said_with_the_day_asked_about(shop: Shop, marketer: Client) -> None:
    rule = {"trait": "score:risk", "gte": 10}
    build(versions=[new_segment(key="riskiest", name="Riskiest", rule=rule)], now=timezone.now())
    past = f"/segments/riskiest/?as_of={(shop.now - timedelta(days=40)).date()}"
    with transaction.atomic():
        ScoreStep.objects.all().delete()
        assert "none is told to rules yet" in said(marketer.get("/segments/riskiest/"))
        profile = Profile.objects.order_by("pk")[0]
        steps = {"alive": 9, "risk": 1, "worth": 1, "recency": 1, "frequency": 1, "monetary": 1}
        ScoreStep.objects.create(profile=profile, set_at=shop.now, **steps)
        page = said(marketer.get(past))
        transaction.set_rollback(True)
    assert "held for no customer at that time" in page and "no customer now" not in page
    assert "told to rules only since" in page


# --- the list of segments -------------------------------------------------------------------------------------
def test_the_list_shows_what_each_segment_means_and_is_narrowed_by_its_address(
    shop: Shop, twice: Segment, fair: Segment, marketer: Client
) -> None:
    rows = {row.segment.key: row for row, _change in marketer.get("/segments/").context["rows"]}
    assert {"twice", "spring-fair", "active_customer"} <= rows.keys()
    assert rows["twice"].customers == 80
    assert "at least 3 purchases" in rows["twice"].sentence
    assert rows["spring-fair"].is_list
    keys = [row.segment.key for row, _change in marketer.get("/segments/?search=off+%25s&kind=rule").context["rows"]]
    assert keys == ["twice"]
    by_size = [row.customers for row, _change in marketer.get("/segments/?order=size").context["rows"]]
    assert by_size == sorted(by_size, reverse=True)
    # Made here, as other tests of the module make segments, too.
    marketer.post("/segments/lists/new/", {"name": "Changed last", "key": "changed-last"})
    latest, _change = marketer.get("/segments/?order=changed").context["rows"][0]
    assert latest.segment.key == "changed-last"
    assert "No segment like this" in said(marketer.get("/segments/?search=nothing"))
    for wrong in ("kind=x", "order=x", "cursor=x"):
        assert marketer.get(f"/segments/?{wrong}").status_code == 400


def test_five_hundred_segments_cost_the_queries_of_a_few(shop: Shop, marketer: Client) -> None:
    marketer.get("/segments/")
    with CaptureQueriesContext(connection) as few:
        marketer.get("/segments/")
    with transaction.atomic():
        for n in range(120):
            add_segment(key=f"many-{n}", name=f"Many {n}", rule={"did": {"role": "visit"}, "at_least": n + 1})
        with CaptureQueriesContext(connection) as many:
            page = marketer.get("/segments/")
        transaction.set_rollback(True)
    assert len(page.context["rows"]) == 50
    assert page.context["next_cursor"]
    assert len(many) <= len(few) + 1, [query["sql"][:150] for query in many]


# --- one segment ----------------------------------------------------------------------------------------------
def test_a_segments_page_says_who_is_in_it_and_what_uses_it(shop: Shop, twice: Segment, marketer: Client) -> None:
    revision = add_segment(key="upper", name="Upper 50%", rule={"not": {"segment": "twice"}})
    page = marketer.get("/segments/twice/")
    assert page.context["matching"].number == 80
    assert "Upper 50%" in said(page)
    assert "in a draft" in said(page)
    assert "Nothing of it is live yet" in said(marketer.get("/segments/upper/"))
    refused = marketer.post("/segments/twice/retire/")
    assert refused.status_code == 409
    assert "“Upper 50%”" in said(refused)
    assert Version.objects.filter(revision=revision).exists()
    found = marketer.get("/segments/twice/?search=priya").context["rows"]
    assert found
    assert all("Priya" in row.name for row in found)


def test_the_file_of_members_holds_everybody_and_no_formula(shop: Shop, twice: Segment, marketer: Client) -> None:
    shop.tell([shop.order("1001", 3.5, traits={"name": "=1+1", "phone": "+44 20 7946 0018"})])
    answer = marketer.get("/segments/twice/members.csv")
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(body)))
    assert len(rows) == marketer.get("/segments/twice/").context["matching"].number
    odd = {row["name"]: row["phone"] for row in rows}
    assert "'=1+1" in odd or not any("=1+1" in name for name in odd)
    assert set(rows[0]) == {"id", "name", "email", "phone", "since"}


def test_members_and_their_file_are_those_of_the_day_asked_about(shop: Shop, twice: Segment, marketer: Client) -> None:
    day = f"{shop.now.date() - timedelta(days=60)}"
    then = marketer.get(f"/segments/twice/?as_of={day}")
    assert 0 < then.context["matching"].number < 80
    file = marketer.get(f"/segments/twice/members.csv?as_of={day}")
    rows = list(csv.DictReader(io.StringIO(b"".join(file.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert len(rows) == then.context["matching"].number
    assert max(row["since"] for row in rows) <= f"{day}T23:59:59.999Z"
    assert {str(row.id) for row in then.context["rows"]} <= {row["id"] for row in rows}
    # Nothing was known then: the segment did not exist.
    unknown = marketer.get(f"/segments/twice/members.csv?as_of={day}&known_at={day}")
    assert b"".join(unknown.streaming_content).decode("utf-8-sig").count("\n") == 1  # type: ignore[attr-defined]
    assert marketer.get("/segments/twice/?as_of=2999-01-01").status_code == 400


def test_versions_are_read_compared_and_brought_back(shop: Shop, twice: Segment, marketer: Client) -> None:
    listed = marketer.get("/segments/twice/versions/")
    assert [row.number for row, _url, _change in listed.context["rows"]] == [2, 1]
    first = marketer.get("/segments/twice/versions/1/")
    assert "at least 2 purchases" in said(first)
    assert any(row.differs for row in first.context["comparison"]["rows"])
    assert '-    "at_least": 2' in first.context["difference"].replace("      ", "    ")
    assert marketer.get("/segments/twice/versions/1/?against=7").status_code == 400
    assert marketer.get("/segments/twice/versions/9/").status_code == 404
    before = set(Revision.objects.values_list("pk", flat=True))
    assert marketer.post("/segments/twice/versions/1/roll-back/").status_code == 302
    (made,) = set(Revision.objects.values_list("pk", flat=True)) - before
    (version,) = Version.objects.filter(revision=made, subject=twice)
    assert (version.state, version.document, version.author) == ("draft", {"rule": BUYERS}, shop.people["marketer"])
    publish(revision=made, now=timezone.now())
    assert marketer.get("/segments/twice/versions/3/").context["shown"].row.state == "live"


def test_a_name_is_changed_at_once_and_what_was_typed_stays_when_it_is_refused(
    shop: Shop, twice: Segment, marketer: Client
) -> None:
    refused = marketer.post("/segments/twice/edit/", {"name": "", "description": "x" * 2001})
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == {"name", "description"}
    assert "x" * 2001 in said(refused)
    assert marketer.post("/segments/twice/edit/", {"name": f" {ODD} ", "description": ODD}).status_code == 302
    assert "100% “off”" in said(marketer.get("/segments/twice/"))


def test_an_unused_segment_is_retired_and_its_key_stays_taken(shop: Shop, marketer: Client) -> None:
    marketer.post("/segments/lists/new/", {"name": "Short lived", "key": "short"})
    assert marketer.post("/segments/short/retire/")["Location"] == "/segments/"
    assert marketer.get("/segments/short/").status_code == 404
    again = marketer.post("/segments/lists/new/", {"name": "Short lived", "key": "short"})
    assert again.status_code == 422
    assert "key" in again.context["form"].errors


# --- lists ----------------------------------------------------------------------------------------------------
def test_bad_input_of_a_new_list_names_every_field(shop: Shop, marketer: Client) -> None:
    refused = marketer.post("/segments/lists/new/", {"name": "", "key": "Not A Key", "description": "y" * 3000})
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == {"name", "key", "description"}
    assert "Not A Key" in refused.content.decode()
    taken = marketer.post("/segments/lists/new/", {"name": "A", "key": "active_customer"})
    assert set(taken.context["form"].errors) == {"key"}
    for key in ("new", "lists"):
        assert marketer.post("/segments/lists/new/", {"name": "A", "key": key}).status_code == 422
    assert marketer.post("/segments/lists/new/", {"name": "🙂"})["Location"] == "/segments/list/list/"


def test_a_file_is_looked_at_before_it_counts_and_counts_once(shop: Shop, marketer: Client) -> None:
    marketer.post("/segments/lists/new/", {"name": "Autumn fair", "key": ""})
    fair = Segment.objects.get(key="autumn-fair")
    anna, ben = shop.customer("1003"), shop.customer("1004")
    text = f"email\ncustomer3@example.org\nnobody@example.org\n{'customer4@example.org'.upper()}\nno address\n"
    looked = marketer.post(
        "/segments/autumn-fair/upload/", {"file": io.BytesIO(text.encode()), "by": "any", "list": "included"}
    )
    found = looked.context["found"]
    assert found.customers == (anna.pk, ben.pk)
    assert [line.number for line in found.refused] == [3, 5]
    assert members_on(segment=fair.pk) == 0
    sent = {"text": looked.context["text"], "by": "any", "list": "included", "add": "1"}
    for _twice in range(2):
        assert marketer.post("/segments/autumn-fair/upload/", sent)["Location"] == "/segments/autumn-fair/list/"
    assert members_on(segment=fair.pk) == 2
    rows = marketer.get("/segments/autumn-fair/").context["rows"]
    assert {row.id for row in rows} == {anna.pk, ben.pk}


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"", "text"), (b"a,b\n1,2\n", "column"), (b"PK\x03\x04\x00", "file"), (b"x" * 4_000_001, "file")],
)
def test_a_file_that_cannot_be_read_says_why_beside_its_field(
    body: bytes, field: str, shop: Shop, fair: Segment, marketer: Client
) -> None:
    file = io.BytesIO(body)
    file.name = "people.csv"
    answer = marketer.post("/segments/spring-fair/upload/", {"file": file, "text": "", "column": ""})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors or body == b""


def test_excludes_win_on_the_page_as_in_the_rules(shop: Shop, twice: Segment, marketer: Client) -> None:
    member = marketer.get("/segments/twice/").context["rows"][0].id
    added = marketer.post("/segments/twice/list/add/", {"who": str(member), "list": "excluded"})
    assert added["Location"] == "/segments/twice/list/?list=excluded"
    assert member not in {row.id for row in marketer.get("/segments/twice/").context["rows"]}
    marketer.post("/segments/twice/list/add/", {"who": str(member), "list": "included"})
    assert member not in {row.id for row in marketer.get("/segments/twice/").context["rows"]}
    shown = marketer.get("/segments/twice/list/?list=excluded")
    assert [row.customer for row in shown.context["rows"]] == [member]
    assert "Joan marketer" in said(shown)
    marketer.post("/segments/twice/list/remove/", {"customer": [str(member), "x"], "list": "excluded"})
    assert not ListMember.objects.filter(segment=twice, is_excluded=True, removed_at=None).exists()
    unknown = marketer.post("/segments/twice/list/add/", {"who": "nobody@example.org"})
    assert unknown.status_code == 422
    assert "nobody@example.org" in unknown.content.decode()
    assert marketer.get("/segments/twice/list/?list=x").status_code == 400


def test_the_ticked_of_the_list_of_customers_are_put_on_a_list(shop: Shop, fair: Segment, marketer: Client) -> None:
    people = [shop.customer(str(1020 + n)).pk for n in range(3)]
    asked = marketer.post("/segments/lists/add/", {"customer": [*people, "999999999", "x"]})
    assert [number for number, _name in asked.context["people"]] == sorted(people)
    wrong = marketer.post("/segments/lists/add/", {"customer": people, "segment": "nothing"})
    assert wrong.status_code == 422
    done = marketer.post("/segments/lists/add/", {"customer": people, "segment": "spring-fair", "side": "excluded"})
    assert done["Location"] == "/segments/spring-fair/list/"
    assert set(people) <= {row.customer for row in marketer.get("/segments/spring-fair/list/").context["rows"]}
    assert marketer.post("/segments/lists/add/", {})["Location"] == "/customers/"


def test_a_list_of_more_than_a_page_is_paged(shop: Shop, marketer: Client) -> None:
    marketer.post("/segments/lists/new/", {"name": "Long", "key": "long"})
    everyone = [shop.customer(str(1030 + n)).pk for n in range(60)]
    add_members(segment=Segment.objects.get(key="long").pk, customers=everyone, now=timezone.now())
    first = marketer.get("/segments/long/list/")
    second = marketer.get(f"/segments/long/list/?cursor={first.context['next_cursor']}")
    seen = [row.customer for page in (first, second) for row in page.context["rows"]]
    assert sorted(seen) == sorted(everyone)
    back = marketer.get(f"/segments/long/list/?cursor={second.context['previous_cursor']}")
    assert [row.customer for row in back.context["rows"]] == seen[:50]


# --- roles and pages ------------------------------------------------------------------------------------------
def test_a_viewer_sees_segments_and_no_button_that_would_be_refused(shop: Shop, twice: Segment) -> None:
    viewer = shop.client("viewer")
    for path in ("/segments/", "/segments/twice/", "/segments/twice/list/", "/segments/twice/versions/1/"):
        page = viewer.get(path)
        assert page.status_code == 200, path
        main = re.search(r"<main\b.*?</main>", page.content.decode(), re.DOTALL)[0]  # type: ignore[index]
        assert 'method="post"' not in main, path
        assert "/edit/" not in main, path
    assert viewer.post("/segments/twice/retire/").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/segments/",
        "/segments/?kind=list",
        "/segments/lists/new/",
        "/segments/twice/",
        "/segments/twice/list/?list=excluded",
        "/segments/twice/edit/",
        "/segments/twice/retire/",
        "/segments/twice/versions/",
        "/segments/twice/versions/1/",
        "/segments/twice/examples/",
        "/segments/twice/examples/new/",
        "/segments/spring-fair/",
        "/segments/spring-fair/list/",
        "/segments/spring-fair/upload/",
    ],
)
def test_pages_of_segments_are_accessible_and_fit(
    path: str, shop: Shop, twice: Segment, fair: Segment, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("marketer")
    for theme, width in MODES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        assert look(page, f"{shop.url}{path}{'&' if '?' in path else '?'}still=1").status == 200
        assert faults(page) == [], (theme, width)
        assert not overflow(page), (theme, width)
    page.set_viewport_size({"width": 320, "height": 256})
    assert not overflow(page)


def test_a_list_is_made_and_filled_by_keyboard_alone(shop: Shop, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("marketer")
    page.goto(f"{shop.url}/segments/")
    page.get_by_role("link", name="New static list").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name").focus()
    page.keyboard.type(ODD)
    page.keyboard.press("Tab")
    page.keyboard.type("by-keyboard")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/segments/by-keyboard/list/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(ODD)
    page.get_by_label("Customer", exact=True).focus()
    page.keyboard.type("customer7@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 customer was added.")).to_be_visible()
    page.get_by_role("link", name="Upload many").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Or paste them, one a line").focus()
    page.keyboard.type("customer8@example.org")
    page.keyboard.press("Enter")
    page.keyboard.type("nobody@example.org")
    page.get_by_role("button", name="Look who that is").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Lines that name nobody")).to_contain_text("nobody@example.org")
    assert faults(page) == []
    page.get_by_role("button", name="Add 1 customer").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="On the list")).to_contain_text("Priya Raman 8")
    page.get_by_label("Tick Priya Raman 8").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Take the ticked off").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="On the list")).not_to_contain_text("Priya Raman 8")


def test_customers_are_ticked_in_their_list(shop: Shop, fair: Segment, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("marketer")
    page.goto(f"{shop.url}/customers/?search=watanabe")
    name = page.locator(".person a").first.inner_text()
    page.get_by_label(f"Tick {name}", exact=True).check()
    page.get_by_role("button", name="Add the ticked to a list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Add 1 customer to a list")
    assert faults(page) == []
    page.get_by_role("combobox", name="List or segment").fill("spring-fair")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/segments/spring-fair/list/$"))
    expect(page.get_by_role("region", name="On the list")).to_contain_text(name)

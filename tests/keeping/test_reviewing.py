"""The review queue on the pages: narrowed by its address, looked at side by side, decided one after the other."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.duplicates import work_on_duplicates
from customers.models import Merge, PossibleMerge, Profile
from customers.review import Possible, propose
from tests.factories import make_order
from tests.keeping.conftest import said
from tests.lifecycle.making import ago, customer_of, profile_of, settle, tell


@pytest.fixture
def agent(browsers: dict[str, Client]) -> Client:
    return browsers["agent"]


@pytest.fixture
def pairs(agent: Client) -> list[int]:
    """Three pairs of six people, the likeliest first: the same e-mail, the same device, alike."""
    names = ["Una Novak", "Una Nowak", "Kenji Watanabe", "K. Watanabe", "Sara Lind", "Sarah Lind"]
    tell(*(make_order(f"p{n}", ago(days=20 - n), traits={"name": name}) for n, name in enumerate(names)))
    settle()
    profiles = [profile_of(f"p{n}") for n in range(6)]
    propose(pairs=[Possible(*profiles[4:], "alike", score=82, evidence={"name": 82})])
    propose(pairs=[Possible(*profiles[2:4], "anonymous_id", "device-1", score=90)])
    propose(pairs=[Possible(*profiles[:2], "email", "una@example.org")])
    return list(PossibleMerge.objects.order_by("-score").values_list("pk", flat=True))


def shown(agent: Client, query: str = "") -> list[int]:
    return [one.id for one in agent.get(f"/review/{query}").context["queue"].rows]


def test_the_likeliest_come_first_and_the_address_narrows_them(agent: Client, pairs: list[int]) -> None:
    assert shown(agent) == pairs
    assert shown(agent, "?why=device") == [pairs[1]]
    assert shown(agent, "?why=alike") == [pairs[2]]
    assert shown(agent, "?why=id") == []
    assert shown(agent, "?source=nobody") == []
    assert shown(agent, "?state=refused") == []
    page = agent.get("/review/").content.decode()
    assert "name 82 %" in page
    assert "una@example.org" in page
    assert "No such pair" in agent.get("/review/?state=merged").content.decode()
    for wrong in ("?state=lost", "?why=smell", "?cursor=x"):
        assert agent.get(f"/review/{wrong}").status_code == 400


def test_pages_lead_forth_and_back(agent: Client, pairs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.review.PAGE", 1)
    seen, query = [], ""
    while True:
        queue = agent.get(f"/review/{query}").context["queue"]
        seen += [one.id for one in queue.rows]
        if queue.next_cursor is None:
            break
        query = f"?cursor={queue.next_cursor}"
    assert seen == pairs
    back = agent.get(f"/review/?cursor={queue.previous_cursor}").context["queue"]
    assert [one.id for one in back.rows] == [pairs[1]]
    first = agent.get(f"/review/?cursor={back.previous_cursor}").context["queue"]
    assert ([one.id for one in first.rows], first.previous_cursor) == ([pairs[0]], None)


def test_deciding_leads_from_pair_to_pair_within_what_was_asked(agent: Client, pairs: list[int]) -> None:
    look = agent.get(f"/review/{pairs[0]}/")
    rows = {row.label for row in look.context["pair"].facts}
    assert {"name", "user_id"} <= rows
    assert "una@example.org" in look.content.decode()
    done: Any = agent.post(f"/review/{pairs[0]}/", {"decision": "merge", "reason": ""}, follow=True)
    assert said(done) == ["They are one customer now."]
    assert done.redirect_chain[-1][0] == f"/review/{pairs[1]}/"
    assert customer_of("p0") == customer_of("p1")
    record = Merge.objects.get()
    assert "una@example.org" in record.reason
    assert record.author is not None
    done = agent.post(f"/review/{pairs[1]}/?why=device", {"decision": "refuse"}, follow=True)
    assert "nobody is asked" in said(done)[0]
    assert done.redirect_chain[-1][0] == "/review/?why=device"
    assert customer_of("p2") != customer_of("p3")
    agent.post(f"/review/{pairs[2]}/", {"decision": "merge", "reason": "Her own words."})
    assert Merge.objects.latest("pk").reason == "Her own words."
    assert "Nothing to decide" in agent.get("/review/").content.decode()
    assert shown(agent, "?state=merged") == sorted((pairs[0], pairs[2]), reverse=True)
    assert shown(agent, "?state=refused") == [pairs[1]]
    decided = agent.get(f"/review/{pairs[1]}/").content.decode()
    assert "Somebody decided that they are two" in decided
    assert 'name="decision"' not in decided


def test_what_somebody_else_decided_meanwhile_is_said(agent: Client, pairs: list[int]) -> None:
    agent.post(f"/review/{pairs[0]}/", {"decision": "refuse"})
    answer = agent.post(f"/review/{pairs[0]}/", {"decision": "merge", "reason": ""})
    assert answer.status_code == 422
    assert "decided" in answer.content.decode()
    assert not Merge.objects.exists()
    assert agent.post(f"/review/{pairs[1]}/", {"decision": "perhaps"}).status_code == 422
    long = agent.post(f"/review/{pairs[1]}/", {"decision": "merge", "reason": "x" * 2001})
    assert long.status_code == 422
    assert agent.get("/review/987654/").status_code == 404


def test_a_merged_pair_is_shown_with_the_way_back(agent: Client, pairs: list[int]) -> None:
    agent.post(f"/review/{pairs[0]}/", {"decision": "merge", "reason": ""})
    page = agent.get(f"/review/{pairs[0]}/").content.decode()
    assert f"/merges/{Merge.objects.get().pk}/undo/" in page


def test_a_viewer_decides_nothing(browsers: dict[str, Client], pairs: list[int]) -> None:
    assert browsers["viewer"].get("/review/").status_code == 403
    assert "/review/" not in browsers["viewer"].get("/customers/").content.decode()
    assert "/review/" in browsers["agent"].get("/customers/").content.decode()


def test_a_longer_queue_costs_no_more_queries(agent: Client, pairs: list[int]) -> None:
    with CaptureQueriesContext(connection) as few:
        agent.get("/review/")
    tell(*(make_order(f"q{n}", ago(days=3)) for n in range(20)))
    settle()
    profiles = list(Profile.objects.order_by("-pk").values_list("pk", flat=True)[:20])
    propose(
        pairs=[
            Possible(one, other, "alike", score=70) for one, other in zip(profiles[::2], profiles[1::2], strict=True)
        ]
    )
    with CaptureQueriesContext(connection) as many:
        agent.get("/review/")
    assert len(many) <= len(few) + 1  # those without a name are called by their ids, all by one query


def test_looking_for_duplicates_begins_on_the_page_and_says_how_far_it_is(agent: Client, pairs: list[int]) -> None:
    assert "Look through everybody" in agent.get("/review/").content.decode()
    done: Any = agent.post("/review/search/", follow=True)
    assert "goes on by itself" in said(done)[0]
    part = agent.get("/review/search/").content.decode()
    assert "0 % done" in part
    assert "<html" not in part
    work_on_duplicates()
    page = agent.get("/review/").content.decode()
    assert "6 customers were looked through" in page
    assert "Look again" in page


def test_those_who_were_made_one_are_told_apart_and_may_be_two_again(agent: Client, pairs: list[int]) -> None:
    agent.post(f"/review/{pairs[0]}/", {"decision": "merge", "reason": ""})
    undo = f"/merges/{Merge.objects.get().pk}/undo/"
    page = agent.get("/review/?state=merged")
    (row,) = page.context["queue"].rows
    record = Merge.objects.get()
    assert (row.left.id, row.right.id) == (record.survivor_id, record.absorbed_id)
    assert row.right.known_as == "Una Nowak"
    assert undo in page.content.decode()
    agent.post(undo)
    page = agent.get("/review/?state=merged")
    (row,) = page.context["queue"].rows
    assert {row.left.known_as, row.right.known_as} == {"Una Novak", "Una Nowak"}
    assert undo not in page.content.decode()
    assert "undone since" in page.content.decode()
    assert undo not in agent.get(f"/review/{pairs[0]}/").content.decode()

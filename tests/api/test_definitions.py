"""Segments, stage models, shared rules and examples changed by the API: drafted by the same acts as on the pages."""

import json
from typing import Any

import pytest
from django.test import Client

from customers.ingest import clock
from lifecycle.install import publish
from lifecycle.models import Segment, Stage, StageModel, Subject, SubRule, Version
from tests.factories import client_of, make_customer
from tests.lifecycle.making import ago, customer_of, happened, new_version, settle, stage, tell

BOUGHT = {"did": {"role": "purchase"}}
ODD = "100% “off” %s's 🙂"


@pytest.fixture
def admin(installed_once: None, db: None) -> Client:
    return client_of("admin")


def ask(api: Client, method: str, address: str, body: Any = None, status: int = 201) -> Any:
    answer = api.generic(method, f"/api/v1/{address}", _json(body), "application/json")
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def _json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


def live(made: dict[str, Any]) -> None:
    publish(revision=int(made["change"]), now=clock())


# --- segments ---------------------------------------------------------------------------------------------------
def test_a_segment_is_drafted_written_anew_and_rolled_back(admin: Client) -> None:
    buyer = make_customer(ago(days=3))
    made = ask(admin, "POST", "segments/", {"key": "odd", "name": ODD, "rule": BOUGHT, "note": "first"})
    assert (made["is_live"], made["versions"]) == (False, [{"kind": "segment", "key": "odd", "number": 1}])
    live(made)
    assert stage(buyer, "odd") == "in"
    again = ask(admin, "PUT", "segments/odd/rule/", {"rule": {"did": {"role": "visit"}, "at_least": 2}})
    live(again)
    assert stage(buyer, "odd") != "in"
    live(ask(admin, "POST", "segments/odd/versions/1/roll-back/"))
    assert stage(buyer, "odd") == "in"
    ask(admin, "POST", "segments/odd/versions/9/roll-back/", status=404)
    assert [one["key"] for one in ask(admin, "GET", "segments/?search=%25&kind=segment", status=200)["results"]] == [
        "odd"
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"key": "x", "name": "X", "rule": {"did": {}, "within": "90"}}, "$.rule.within"),
        ({"key": "x", "name": "X", "rule": {"all": [BOUGHT] * 10_000}}, "$.rule.all[40].did"),
        ({"key": "x", "name": "X", "rule": {"segment": "nobody"}}, "$.rule.segment"),
        ({"key": "x", "name": "X", "rule": 3}, "$.rule"),
        ({"key": "A b", "name": "X"}, "key"),
        ({"key": "active_customer", "name": "X"}, "key"),
        ({"key": "new", "name": "X"}, "key"),
        ({"key": "x", "name": "y" * 101}, "name"),
        ({"key": "x", "name": "X", "description": "y" * 2001}, "description"),
        ({"key": "x"}, "name"),
        ({"key": "x", "name": "X", "rules": {}}, "rules"),
    ],
)
def test_what_is_no_segment_is_refused_with_its_place(admin: Client, body: Any, field: str) -> None:
    told = ask(admin, "POST", "segments/", body, 400)
    assert [error["field"] for error in told["errors"]] == [field]
    assert not Segment.objects.filter(key="x").exists()


def test_a_body_that_is_no_document_is_refused(admin: Client) -> None:
    for body in (
        b"{",
        b"[]",
        b'{"key": "a", "key": "b"}',
        b'{"name": NaN}',
        b'{"key": "\\ud800", "name": "x"}',
        b"\xff",
    ):
        answer = admin.generic("POST", "/api/v1/segments/", body, "application/json")
        assert answer.status_code == 400, body
        assert answer["Content-Type"] == "application/problem+json"


def test_a_static_list_is_live_at_once_and_filled_from_what_others_know(admin: Client) -> None:
    tell(happened("anna", "Signed Up", ago(days=3), identities=[("email", "anna@example.org")]))
    settle()
    anna, ben = customer_of("anna@example.org", "email"), make_customer(ago(days=4))
    made = ask(admin, "POST", "segments/", {"key": "fair", "name": "Fair"})
    assert made["is_live"] is True
    looked = ask(admin, "POST", "segments/fair/upload/", {"values": ["x@y.zz", str(ben)], "only_look": True}, 200)
    assert (looked["added"], looked["customers"], looked["not_found"][0]["number"]) == (0, [str(ben)], 1)
    for added in (2, 0):
        told = ask(admin, "POST", "segments/fair/upload/", {"values": ["ANNA@example.org", str(ben), str(ben)]}, 200)
        assert (told["added"], told["repeated"]) == (added, 1)
    assert {stage(anna, "fair"), stage(ben, "fair")} == {"in"}
    rows = ask(admin, "GET", "segments/fair/list/", status=200)["results"]
    assert {row["customer"] for row in rows} == {str(anna), str(ben)}
    ask(admin, "POST", "segments/fair/upload/", {"values": [], "excluded": True}, 400)
    ask(admin, "PUT", "segments/fair/rule/", {"rule": BOUGHT}, 409)


def test_what_is_used_is_not_retired_and_says_by_what(admin: Client) -> None:
    new_version("base", BOUGHT)
    ask(admin, "POST", "segments/", {"key": "upper", "name": "Upper", "rule": {"segment": "base"}})
    (use,) = ask(admin, "GET", "segments/base/used-in/", status=200)["results"]
    assert use == {"kind": "segment", "key": "upper", "name": "Upper", "is_direct": True, "is_draft": True}
    assert "Upper" in ask(admin, "POST", "segments/base/retire/", status=409)["detail"]
    Version.objects.filter(subject__key="upper").delete()
    ask(admin, "POST", "segments/base/retire/", status=204)
    ask(admin, "GET", "segments/base/", status=404)
    ask(admin, "POST", "stage-models/seven/retire/", status=409)


# --- models -----------------------------------------------------------------------------------------------------
def test_a_model_is_made_copied_extended_ordered_and_its_stages_retired(admin: Client) -> None:
    buyer = make_customer(ago(days=3))
    stages = [{"key": "seen", "name": "Seen", "rule": {"did": {}}}, {"key": "buyer", "name": ODD, "rule": BOUGHT}]
    gone = {"key": "gone", "name": "Gone"}
    live(ask(admin, "POST", "stage-models/", {"key": "two", "name": "Two", "stages": stages, "exit": gone}))
    assert stage(buyer, "two") == "buyer"
    live(ask(admin, "POST", "stage-models/two/copy/", {"key": "three", "name": "Three"}))
    added = {"key": "vip", "name": "VIP", "rule": {**BOUGHT, "within": "5d"}, "above": "buyer"}
    live(ask(admin, "POST", "stage-models/three/stages/", added))
    assert (stage(buyer, "three"), stage(buyer, "two")) == ("vip", "buyer")
    live(ask(admin, "PUT", "stage-models/three/precedence/", {"stages": ["vip", "seen", "buyer"]}))
    assert stage(buyer, "three") == "buyer"
    live(ask(admin, "PUT", "stage-models/three/stages/buyer/rule/", {"rule": {**BOUGHT, "at_least": 5}}))
    assert stage(buyer, "three") == "seen"
    live(ask(admin, "POST", "stage-models/three/stages/seen/retire/", {"note": "not needed"}))
    assert stage(buyer, "three") == "vip"
    whole = ask(admin, "PUT", "stage-models/three/positions/", {"stages": ["vip", "buyer"]}, 200)
    assert [one["key"] for one in whole["stages"]] == ["vip", "buyer", "gone"]
    assert Stage.objects.filter(subject__key="three", key="seen").exists()
    first = ask(admin, "GET", "stage-models/three/versions/1/", status=200)
    assert {one["key"] for one in first["stages"]} == {"buyer", "seen", "gone"}
    ask(admin, "POST", "stage-models/three/retire/", status=204)
    ask(admin, "GET", "stage-models/three/", status=404)


@pytest.mark.parametrize(
    ("method", "address", "body", "field"),
    [
        ("POST", "stage-models/", {"key": "a", "name": "A", "stages": [], "exit": {"key": "x", "name": "X"}}, "stages"),
        ("POST", "stage-models/", {"key": "a", "name": "A", "stages": [{"key": "b"}], "exit": {}}, "stages[0].name"),
        ("POST", "stage-models/seven/copy/", {"key": "five", "name": "A"}, "key"),
        ("POST", "stage-models/seven/stages/", {"key": "lapsed", "name": "A", "rule": BOUGHT}, "key"),
        ("POST", "stage-models/seven/stages/", {"key": "n", "name": "A", "rule": {}}, "$.rule"),
        ("POST", "stage-models/seven/stages/", {"key": "n", "name": "A", "rule": BOUGHT, "above": "x"}, "stage"),
        ("PUT", "stage-models/seven/stages/lapsed/rule/", {"rule": {"stage": ["five", "lapsed"]}}, "$.rule.stage"),
        ("PUT", "stage-models/seven/stages/nothing/rule/", {"rule": BOUGHT}, "stage"),
        ("PUT", "stage-models/seven/precedence/", {"stages": ["lapsed"]}, "stages"),
        ("PUT", "stage-models/seven/positions/", {"stages": ["nothing"]}, "stages"),
        ("POST", "sub-rules/", {"name": "x", "rule": {"rule": "x"}}, "$.rule.rule"),
        ("POST", "sub-rules/", {"name": "x" * 101, "rule": BOUGHT}, "name"),
    ],
)
def test_what_is_no_model_is_refused_with_its_place(
    admin: Client, method: str, address: str, body: Any, field: str
) -> None:
    told = ask(admin, method, address, body, 400)
    assert field in [error["field"] for error in told["errors"]]
    assert Version.objects.filter(state="draft").count() == 0


def test_a_shared_rule_is_read_with_what_uses_it_and_drafted_for_all(admin: Client) -> None:
    made = ask(admin, "POST", "sub-rules/", {"name": ODD, "rule": BOUGHT})
    assert (made["sub_rules"], made["versions"]) == ([ODD], [])
    live(made)
    number = SubRule.objects.get(name="advocate").pk
    read = ask(admin, "GET", f"sub-rules/{number}/", status=200)
    assert {use["key"] for use in read["used_in"]} == {"seven", "five", "cycle"}
    assert read["sentence"].startswith("The customer ")
    drafted = ask(admin, "PUT", f"sub-rules/{number}/rule/", {"rule": {"any": [BOUGHT, {"rule": ODD}]}, "note": ODD})
    assert [one["key"] for one in drafted["versions"]] == ["seven", "five", "cycle"]
    ask(admin, "GET", "sub-rules/999999/", status=404)


# --- examples ---------------------------------------------------------------------------------------------------
def test_examples_are_added_tried_and_removed(admin: Client) -> None:
    buyer = make_customer(ago(days=30))
    real = {"name": ODD, "stage": "acquisition", "customer": str(buyer), "day": 3}
    made = ask(admin, "POST", "stage-models/seven/examples/", real)
    assert (made["now"]["holds"], made["customer"], made["drafted"]) == (True, str(buyer), None)
    history = {"touchpoints": [{"occurred_at": "2020-01-01T10:00:00Z", "type": "Signed Up", "amount": None}]}
    wrong = {"name": "trial", "stage": "advocacy", "history": history, "day": 1}
    failing = ask(admin, "POST", "stage-models/seven/examples/", wrong)
    assert (failing["now"]["holds"], failing["now"]["found"]) == (False, "Acquisition")
    listed = ask(admin, "GET", "stage-models/seven/examples/", status=200)["results"]
    assert [one["id"] for one in listed] == [made["id"], failing["id"]]
    ask(admin, "DELETE", f"stage-models/seven/examples/{failing['id']}/", status=204)
    ask(admin, "DELETE", f"stage-models/five/examples/{made['id']}/", status=404)
    inside = {"name": "in", "stage": "in", "customer": str(buyer), "at": "2020-01-01T00:00:00Z"}
    assert ask(admin, "POST", "segments/active_customer/examples/", inside)["now"]["holds"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "stage": "nothing", "history": {}, "day": 1}, "stage"),
        ({"name": "x", "stage": None, "day": 1}, "customer"),
        ({"name": "x", "stage": None, "customer": "0", "day": 1}, "customer"),
        ({"name": "x", "stage": None, "customer": "x", "history": {}, "day": 1}, "customer"),
        ({"name": "x", "stage": None, "history": {}}, "at"),
        ({"name": "x", "stage": None, "history": {}, "at": "soon"}, "at"),
        (
            {"name": "x", "stage": None, "history": {"touchpoints": [{"type": "x"}]}, "day": 1},
            "$.history.touchpoints[0].occurred_at",
        ),
        ({"name": "x", "stage": None, "history": 3, "day": 1}, "$.history"),
    ],
)
def test_an_example_that_cannot_be_tried_is_refused_with_its_place(admin: Client, body: Any, field: str) -> None:
    told = ask(admin, "POST", "stage-models/seven/examples/", body, 400)
    assert [error["field"] for error in told["errors"]] == [field]


# --- who may ------------------------------------------------------------------------------------------------------
def test_marketers_change_segments_and_only_admins_models(installed_once: None, db: None) -> None:
    marketer, agent = client_of("marketer"), client_of("agent")
    ask(marketer, "POST", "segments/", {"key": "mine", "name": "Mine", "rule": BOUGHT})
    ask(agent, "POST", "segments/", {"key": "mine2", "name": "Mine", "rule": BOUGHT}, 403)
    copied = {"key": "copied", "name": "Copied"}
    ask(marketer, "POST", "stage-models/five/copy/", copied, 403)
    ask(marketer, "POST", "sub-rules/", {"name": "x", "rule": BOUGHT}, 403)
    assert Subject.objects.filter(key="mine").exists()
    assert not StageModel.objects.filter(key="copied").exists()


def test_a_draft_with_an_idempotency_key_is_drafted_once(admin: Client) -> None:
    answers = [
        admin.post(
            "/api/v1/segments/",
            {"key": "once", "name": "Once", "rule": BOUGHT},
            "application/json",
            headers={"Idempotency-Key": "once"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert Version.objects.filter(subject__key="once").count() == 1

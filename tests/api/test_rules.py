"""POST /api/v1/rules/evaluate/: a rule tried on a history that need not exist."""

import json
from typing import Any

import pytest
from django.test import Client

from customers.models import TouchpointType
from tests.factories import client_of
from tests.lifecycle.making import installed

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/rules/evaluate/"


@pytest.fixture
def api() -> Client:
    return client_of("viewer")


def ask(api: Client, rule: Any, *touchpoints: Any, code: int = 200, **more: Any) -> Any:
    body = {"rule": rule, "touchpoints": list(touchpoints), **more}
    answer = api.post(ADDRESS, json.dumps(body), "application/json")
    assert answer.status_code == code, answer.content
    return answer.json()


def bought(at: str, amount: str | None = "10.00", **more: Any) -> dict[str, Any]:
    return {"occurred_at": at, "type": "Order Completed", "channel": "web", "amount": amount, **more}


TWICE = {"did": {"role": "purchase"}, "at_least": 2, "within": "10d"}


def test_spans_are_half_open_in_utc_with_milliseconds(api: Client) -> None:
    body = ask(api, TWICE, bought("2024-01-05T01:00:00+01:00"), bought("2024-01-01"))
    assert body["spans"] == [["2024-01-05T00:00:00.000Z", "2024-01-11T00:00:00.000Z"]]
    assert body["sentence"].startswith("The customer")


def test_a_span_without_an_end_ends_with_null(api: Client) -> None:
    assert ask(api, {"did": {}}, bought("2024-01-01"))["spans"] == [["2024-01-01T00:00:00.000Z", None]]
    assert ask(api, {"not": {"did": {"role": "refund"}}}, bought("2024-01-01"))["spans"] == [
        ["2024-01-01T00:00:00.000Z", None]
    ]
    assert ask(api, {"not": {"did": {}}})["spans"] == [], "no life, no truth"


def test_future_instants_are_kept(api: Client) -> None:
    body = ask(api, {"did": {"role": "purchase"}, "within": "1d"}, bought("2150-01-01"))
    assert body["spans"] == [["2150-01-01T00:00:00.000Z", "2150-01-02T00:00:00.000Z"]]
    assert ask(api, {"did": {}}, bought("9999-12-31"))["spans"] == []


def test_a_given_role_wins_over_the_types(api: Client) -> None:
    rule = {"did": {"role": "purchase"}}
    assert ask(api, rule, bought("2024-01-01", role="visit"))["spans"] == []
    assert len(ask(api, rule, {"occurred_at": "2024-01-01", "role": "purchase"})["spans"]) == 1
    assert len(ask(api, rule, bought("2024-01-01"), bought("2024-01-02", role="visit"))["spans"]) == 1
    both = {"did": {"type": "Order Completed", "role": "visit"}}
    assert ask(api, both, bought("2024-01-01"), bought("2024-01-02", role="visit"))["spans"][0][0].startswith(
        "2024-01-02"
    )


def test_without_a_role_the_live_mapping_counts(api: Client) -> None:
    installed()
    mine = {"occurred_at": "2024-01-01", "type": "Kauf"}
    rule = {"did": {"role": "purchase"}}
    assert ask(api, rule, mine)["spans"] == []
    TouchpointType.objects.create(name="Kauf", role="purchase")
    assert len(ask(api, rule, mine)["spans"]) == 1
    TouchpointType.objects.filter(name="Order Completed").update(role="other")
    assert ask(api, rule, bought("2024-01-01"))["spans"] == []


def test_sub_rules_and_l_are_the_installations(api: Client) -> None:
    installed(lapse_days=10)
    assert ask(api, {"did": {}, "within": "L"}, bought("2024-01-01"))["spans"][0][1] == "2024-01-11T00:00:00.000Z"
    assert ask(api, {"rule": "alive"}, bought("2024-01-01"))["spans"] == [
        ["2024-01-01T00:00:00.000Z", "2024-01-11T00:00:00.000Z"]
    ]


@pytest.mark.parametrize(
    ("amount", "is_enough"),
    [("9.994", False), ("9.995", True), ("10", True), ("9.985", False), (None, False), ("-10.00", False)],
)
def test_amounts_round_half_even_to_the_minor_unit(api: Client, amount: str | None, is_enough: bool) -> None:
    rule = {"spent": {"role": "purchase"}, "at_least": "10.00"}
    assert bool(ask(api, rule, bought("2024-01-01", amount))["spans"]) is is_enough


def test_properties_keep_their_kind_and_their_digits(api: Client) -> None:
    def holds(test: dict[str, Any], **properties: Any) -> bool:
        rule = {"did": {"where": [{"property": "p", **test}]}}
        return bool(ask(api, rule, bought("2024-01-01", properties=properties))["spans"])

    assert holds({"is": 0.1}, p=0.1)
    assert holds({"gte": 3}, p=3)
    assert not holds({"is": "3"}, p=3)
    assert holds({"is": True}, p=True)
    assert not holds({"exists": True}, p=None)
    assert holds({"exists": True}, p=[1])
    assert not holds({"is": "x"}, other="x")


def test_calendar_days_are_those_of_the_time_zone(api: Client) -> None:
    rule = {"did": {}, "on_days": 2}
    night = [bought("2024-06-01T22:30:00Z"), bought("2024-06-01T23:30:00Z")]
    assert ask(api, rule, *night)["spans"] == []
    assert ask(api, rule, *night, timezone="Europe/London")["spans"] == [["2024-06-01T23:30:00.000Z", None]]
    installed(time_zone="Europe/London")
    assert len(ask(api, rule, *night)["spans"]) == 1
    assert ask(api, rule, *night, timezone="UTC")["spans"] == []


def test_traits_are_steps_of_time_and_the_later_given_counts(api: Client) -> None:
    told = [
        {"key": "plan", "value": "pro", "set_at": "2024-03-01T00:00:00Z"},
        {"key": "plan", "value": "free", "set_at": "2024-01-01T00:00:00Z"},
        {"key": "plan", "value": None, "set_at": "2024-05-01"},
        {"key": "plan", "value": "pro", "set_at": "2024-06-01"},
        {"key": "plan", "value": 5, "set_at": "2024-06-01"},
        {"key": "100%'s", "value": True, "set_at": "2024-02-01"},
    ]
    march, may = "2024-03-01T00:00:00.000Z", "2024-05-01T00:00:00.000Z"
    assert ask(api, {"trait": "plan", "is": "pro"}, traits=told)["spans"] == [[march, may]]
    assert ask(api, {"trait": "plan", "exists": False}, traits=told)["spans"] == [[may, "2024-06-01T00:00:00.000Z"]]
    assert ask(api, {"trait": "100%'s", "is": True}, traits=told)["spans"] == [["2024-02-01T00:00:00.000Z", None]]


def test_a_trait_begins_a_life(api: Client) -> None:
    told = {"key": "plan", "value": "pro", "set_at": "2024-01-01"}
    assert ask(api, {"not": {"did": {}}}, traits=[told])["spans"] == [["2024-01-01T00:00:00.000Z", None]]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("[]", "$"),
        ("{}", "$.rule"),
        ("{", "$"),
        ('{"rule": NaN}', "$"),
        ('{"rule": {"did": {}}, "rule": {}}', "$"),
        ("[" * 100_000, "$"),
        ('{"rule": {"did": {}}, "extra": 1}', "$.extra"),
        ('{"rule": {"has": {}}}', "$.rule.has"),
        ('{"rule": {"all": [{"did": {}}, {"did": {"role": "gift"}}]}}', "$.rule.all[1].did.role"),
        ('{"rule": {"trait": "plan", "si": "pro"}}', "$.rule.si"),
        ('{"rule": {"trait": "", "is": "pro"}}', "$.rule.trait"),
        ('{"rule": {"trait": "plan"}}', "$.rule"),
        ('{"rule": {"trait": "pl\\ud800an", "is": 1}}', "$.rule.trait"),
        ('{"rule": {"\\ud800": 1}}', "$.rule"),
        ('{"rule": {"segment": "nobody"}}', "$.rule.segment"),
        ('{"rule": {"segment": 7}}', "$.rule.segment"),
        ('{"rule": {"stage": ["nothing", "retention"]}}', "$.rule.stage[0]"),
        ('{"rule": {"stage": "retention"}}', "$.rule.stage"),
        ('{"rule": {"not": {"stage": ["%s", "\'"]}}}', "$.rule.not.stage[0]"),
        ('{"rule": {"did": {}}, "touchpoints": {}}', "$.touchpoints"),
        ('{"rule": {"did": {}}, "touchpoints": [1]}', "$.touchpoints[0]"),
        ('{"rule": {"did": {}}, "touchpoints": [{}]}', "$.touchpoints[0].occurred_at"),
        ('{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "10000-01-01"}]}', "$.touchpoints[0].occurred_at"),
        ('{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "1989-12-31"}]}', "$.touchpoints[0].occurred_at"),
        ('{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "2024-01-01T00:00"}]}', "$.touchpoints[0].occurred_at"),
        (
            '{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "2024-01-01", "amount": 5}]}',
            "$.touchpoints[0].amount",
        ),
        (
            '{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "2024-01-01", "amount": "NaN"}]}',
            "$.touchpoints[0].amount",
        ),
        (
            '{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "2024-01-01", "amount": "1000000000.00"}]}',
            "$.touchpoints[0].amount",
        ),
        ('{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "2024-01-01", "role": "x"}]}', "$.touchpoints[0].role"),
        ('{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "2024-01-01", "type": 3}]}', "$.touchpoints[0].type"),
        (
            '{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "2024-01-01", "type": "a\\u0000"}]}',
            "$.touchpoints[0].type",
        ),
        ('{"rule": {"did": {}}, "touchpoints": [{"occurred_at": "2024-01-01", "when": 1}]}', "$.touchpoints[0].when"),
        ('{"rule": {"did": {}}, "timezone": "Mars/Base"}', "$.timezone"),
        ('{"rule": {"did": {}}, "timezone": "../../etc/passwd"}', "$.timezone"),
        ('{"rule": {"did": {}}, "timezone": 5}', "$.timezone"),
        ('{"rule": {"did": {}}, "traits": [{"key": "a", "value": 1}]}', "$.traits[0].set_at"),
        ('{"rule": {"did": {}}, "touchpoints": [' + "{}," * 10_000 + "{}]}", "$.touchpoints"),
        ('{"rule": "' + "x" * 5_000_001 + '"}', "$"),
    ],
)
def test_what_is_wrong_is_told_with_its_json_path(api: Client, body: str, path: str) -> None:
    answer = api.post(ADDRESS, body, "application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == path
    assert len(answer.content) < 2000


def test_ten_thousand_touchpoints_are_evaluated(api: Client) -> None:
    many = [bought(f"2024-{1 + n // 28 % 12:02}-{1 + n % 28:02}T00:00:{n % 60:02}Z") for n in range(10_000)]
    assert len(ask(api, TWICE, *many)["spans"]) == 1

"""/api/v1/experience/, its answers, and /api/v1/support/: every number with its customers, faults with fields."""

from datetime import datetime
from urllib.parse import quote

import pytest
from django.test import Client

from clm.lib.templatetags.times import plain_date
from customers.models import TouchpointType
from tests.api.calls import counted, get
from tests.factories import client_of, day, make_customer
from tests.lifecycle.making import happened, tell

MAY = "from=2026-05-01&until=2026-06-01"


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    make_customer("2026-04-01", "2026-05-03")
    TouchpointType.objects.update_or_create(name="Survey Sent", defaults={"role": "exposure"})
    events = []
    for n in range(40):
        at = day(f"2026-05-{1 + n % 28:02}")
        events.append(happened(f"p{n}", "Survey Sent", at, properties={"survey": "nps"}))
        if n % 3:
            said = {"nps": n % 11, "comment": f"=said {n}"}
            events.append(happened(f"p{n}", "Survey Answered", day(f"2026-05-{1 + n % 28:02}T12:00"), properties=said))
        events.append(happened(f"p{n}", "Survey Answered", at, properties={"csat": 1 + n % 5}))
        ticket = {"ticket_ref": f"T{n}", "reason": ("a & b", "late: again", "")[n % 3]}
        events.append(happened(f"p{n % 7}", "Ticket Opened", at, properties=ticket))
        if n % 2:
            events.append(happened(f"p{n % 7}", "Ticket Replied", day("2026-05-30"), properties=ticket))
    tell(*events)
    return client_of("viewer")


@pytest.mark.parametrize(
    "address", [f"experience/?{MAY}", f"experience/?{MAY}&model=five&as_of=2026-05-20", f"support/?{MAY}"]
)
def test_every_number_opens_that_many_customers(address: str, api: Client) -> None:
    numbers = counted(get(api, f"/api/v1/{address}"))
    assert sum(number for number, _address in numbers) > 30
    for number, where in numbers:
        if where is None:
            assert number == 0
        else:
            assert len(get(api, f"{where}&page_size=200")["results"]) == number, where


def test_scores_are_in_the_units_the_description_names(api: Client) -> None:
    nps, csat, ces = get(api, f"/api/v1/experience/?{MAY}")["surveys"]
    assert (nps["kind"], nps["unit"], nps["scale"], nps["score"]["value"]) == ("nps", "points", [0, 10], None)
    assert "26 answers" in nps["score"]["note"]
    assert (nps["response"]["rate"]["value"], nps["response"]["asked"]["number"]) == (65.0, 40)
    assert (csat["unit"], csat["score"]["value"], csat["method"]) == ("percent", 40.0, "Wilson, 95 %")
    assert csat["response"]["rate"]["value"] is None
    assert ces["score"]["note"]
    assert [one["month"] for one in csat["months"]][-1] == "2026-05-01"


def test_comments_are_paged_to_their_end(api: Client) -> None:
    seen, address = [], f"/api/v1/experience/answers/?{MAY}&page_size=10"
    while address:
        body = get(api, address)
        seen += body["results"]
        address = body["next"]
    assert len(seen) == 26
    assert seen == sorted(seen, key=lambda one: one["at"], reverse=True)
    assert {type(one["id"]) for one in seen} == {str}
    few = get(api, f"/api/v1/experience/answers/?{MAY}&which=promoters")["results"]
    assert {one["score"] for one in few} == {9, 10}


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("experience/?from=soon&model=eight", ["from", "model"]),
        ("experience/?known_at=2026-01-01", ["known_at"]),
        ("experience/answers/?kind=nsp", ["kind"]),
        ("experience/answers/?which=everything", ["which"]),
        ("experience/answers/?cursor=nowhere", ["cursor"]),
        ("support/?model=seven", ["model"]),
        (f"customers/?group=tickets:closed&{MAY}", ["group"]),
        (f"customers/?group=feedback:nps:eleven&{MAY}", ["group"]),
    ],
)
def test_every_fault_is_told_with_its_field(address: str, fields: list[str], api: Client) -> None:
    assert [one["field"] for one in get(api, f"/api/v1/{address}", 400)["errors"]] == fields


def test_waiting_is_told_by_the_calendar_and_in_business_hours(api: Client) -> None:
    body = get(api, f"/api/v1/support/?{MAY}")
    assert (body["tickets"]["opened"]["tickets"], body["tickets"]["opened"]["customers"]["number"]) == (40, 7)
    first = body["first_answer"]
    assert (first["calendar"]["tickets"], first["calendar"]["ended"]) == (40, 20)
    assert first["business_hours"]["median"]["minutes"] < first["calendar"]["median"]["minutes"]
    assert body["resolution"]["calendar"]["median"] == {"minutes": None, "low": None, "high": None}
    assert {one["reason"] for one in body["reasons"]} == {"a & b", "late: again", ""}
    assert body["active_customers"] == 1
    assert body["tickets_per_active_customer"] == 40


def test_tickets_are_listed_page_by_page_and_one_is_told_in_order(api: Client) -> None:
    seen, address = [], f"/api/v1/support/tickets/?{MAY}&page_size=7"
    while address:
        page = get(api, address)
        assert page["count"] == 40
        seen += [(one["customer"], one["ref"]) for one in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 40
    body = get(api, f"/api/v1/support/?{MAY}")
    for which, told in body["tickets"].items():
        assert get(api, f"/api/v1/support/tickets/?{MAY}&which={which}")["count"] == told["tickets"], which
    for told in body["reasons"]:
        which = quote(f"reason:{told['reason']}")
        assert get(api, f"/api/v1/support/tickets/?{MAY}&which={which}")["count"] == told["tickets"], which
    answered = get(api, f"/api/v1/support/tickets/?{MAY}&which=answered")["results"][0]
    one = get(api, f"/api/v1/customers/{answered['customer']}/ticket/?ref={answered['ref']}")
    assert one["ticket"] == answered
    assert [event["type"] for event in one["events"]] == ["Ticket Opened", "Ticket Replied"]
    assert one["events"][0]["properties"]["ticket_ref"] == answered["ref"]
    assert one["first_answer"]["is_over"] and not one["resolution"]["is_over"]
    assert one["first_answer"]["business_minutes"] < one["first_answer"]["calendar_minutes"]
    then = get(api, f"/api/v1/customers/{answered['customer']}/ticket/?ref={answered['ref']}&as_of=2026-05-29")
    assert [event["type"] for event in then["events"]] == ["Ticket Opened"] and not then["first_answer"]["is_over"]
    early = get(api, f"/api/v1/customers/{answered['customer']}/ticket/?ref={answered['ref']}&as_of=2026-01-01", 404)
    opened = datetime.fromisoformat(answered["opened_at"])
    assert early["detail"] == f"Ticket {answered['ref']} was opened later, on {plain_date(opened.date())}."
    assert get(api, f"/api/v1/customers/{answered['customer']}/ticket/?ref=none", 404)
    assert get(api, f"/api/v1/customers/{answered['customer']}/ticket/", 400)["errors"][0]["field"] == "ref"
    assert get(api, f"/api/v1/support/tickets/?{MAY}&which=closed", 400)["errors"][0]["field"] == "which"

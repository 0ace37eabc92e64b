"""How many queries a page costs, however many customers there are, and however much of everything else."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.exports.jobs import make_waiting, noted
from analytics.exports.links import token
from analytics.reports.leaving import secret_of
from analytics.urls import urlpatterns
from campaigns.experiments import create_experiment, start_experiment, work_on_experiments
from campaigns.keeping import create_campaign
from campaigns.outgoing.events import MERGED
from campaigns.outgoing.keeping import create_endpoint, ping
from campaigns.spending import enter_spend
from clm.lib.access.models import ApiKey, User
from customers.events import Event
from customers.importing.staging import stage_rows
from customers.merge import merge
from customers.models import Account, Affiliation, Conversion, Import, PossibleMerge, Reject, Touchpoint, TouchpointType
from customers.rates import enter_rate
from customers.receiving.write_keys import create_source
from lifecycle.examples import add_example
from lifecycle.models import Segment, StageModel
from lifecycle.place import place
from lifecycle.revise import add_segment
from tests.pages.conftest import Shop
from tests.reports.conftest import make_report, outsider, ready

# By route, how many queries its page may make; a page without a row fails below.
COSTS = {
    "": 69,
    "overview.<slug:kind>": 61,
    "customers/": 36,
    "customers/export/": 46,
    "customers/new/": 6,
    "customers/merge/": 6,
    "customers/<int:customer_id>/": 51,
    "customers/<int:customer_id>/timeline/": 12,
    "customers/<int:customer_id>/edit/": 9,
    "customers/<int:customer_id>/log/": 7,
    "customers/<int:customer_id>/merge/": 18,
    "merges/<int:merge_id>/undo/": 8,
    "customers/<int:customer_id>/touchpoints/<int:touchpoint_id>/": 9,
    "customers/<int:customer_id>/place/": 9,
    "customers/<int:customer_id>/erase/": 13,
    "erasures/": 7,
    "exports/": 10,
    "exports/new/": 8,
    "exports/<int:export_id>/remove/": 8,
    "exports/<int:export_id>/<str:secret>/": 10,
    "review/": 8,
    "review/<int:pair_id>/": 30,
    "review/search/": 8,
    "metrics/": 34,
    "metrics.<slug:kind>": 29,
    "movement/": 34,
    "value/": 12,
    "experience/": 24,
    "experience/answers/": 18,
    "experience.<slug:kind>": 20,
    "support/": 24,
    "support.<slug:kind>": 20,
    "support/tickets/": 18,
    "customers/<int:customer_id>/ticket/": 14,
    "acquisition/": 24,
    "acquisition.<slug:kind>": 20,
    "value.<slug:kind>": 12,
    "movement.<slug:kind>": 24,
    "models/": 10,
    "models/new/": 8,
    "models/<slug:key>/": 23,
    "models/<slug:key>/stages/new/": 22,
    "models/<slug:key>/edit/": 9,
    "models/<slug:key>/copy/": 10,
    "models/<slug:key>/order/": 12,
    "models/<slug:key>/retire/": 12,
    "models/<slug:key>/stages/<slug:stage>/edit/": 9,
    "models/<slug:key>/stages/<slug:stage>/retire/": 11,
    "models/<slug:key>/versions/": 10,
    "models/<slug:key>/versions/<int:number>/": 12,
    "models/<slug:key>/examples/": 20,
    "models/<slug:key>/examples/new/": 10,
    "rules/": 10,
    "segments/": 18,
    "segments/new/": 18,
    "segments/lists/new/": 6,
    "segments/<slug:key>/": 33,
    "segments/<slug:key>/members.csv": 8,
    "segments/<slug:key>/edit/": 9,
    "segments/<slug:key>/retire/": 12,
    "segments/<slug:key>/list/": 12,
    "segments/<slug:key>/upload/": 9,
    "segments/<slug:key>/versions/": 10,
    "segments/<slug:key>/versions/<int:number>/": 12,
    "segments/<slug:key>/examples/": 20,
    "segments/<slug:key>/examples/new/": 10,
    "models/<slug:key>/stages/<slug:stage>/rule/": 22,
    "segments/<slug:key>/rule/": 24,
    "rules/new/": 18,
    "rules/words/": 7,
    "rules/<path:name>/edit/": 20,
    "changes/": 8,
    "changes/<int:change_id>/": 43,
    "changes/<int:change_id>/effect/": 42,
    "changes/<int:change_id>/going-live/": 20,
    "news/": 6,
    "retention/": 38,
    "retention.<slug:kind>": 30,
    "search/": 7,
    "system/": 18,
    "system/imports/<int:import_id>/": 11,
    "imports/": 8,
    "imports/new/": 6,
    "imports/sample.csv": 5,
    "imports/<int:import_id>/": 13,
    "imports/<int:import_id>/progress/": 7,
    "imports/<int:import_id>/errors.csv": 10,
    "imports/<int:import_id>/discard/": 7,
    "imports/<int:import_id>/undo/": 7,
    "campaigns/": 10,
    "campaigns/new/": 9,
    "campaigns/<slug:key>/": 10,
    "campaigns/<slug:key>/edit/": 11,
    "campaigns/<slug:key>/remove/": 9,
    "experiments/": 9,
    "experiments/new/": 14,
    "experiments/<slug:key>/": 22,
    "experiments/<slug:key>/counting/": 8,
    "experiments/<slug:key>/results.<slug:kind>": 24,
    "experiments/<slug:key>/edit/": 14,
    "experiments/<slug:key>/start/": 8,
    "experiments/<slug:key>/stop/": 8,
    "experiments/<slug:key>/end/": 8,
    "experiments/<slug:key>/remove/": 8,
    "sources/": 7,
    "sources/new/": 5,
    "sources/<slug:key>/": 8,
    "sources/<slug:key>/tail/": 8,
    "sources/<slug:key>/key/": 6,
    "sources/<slug:key>/close/": 6,
    "spend/": 11,
    "spend.<slug:kind>": 12,
    "spend/new/": 10,
    "spend/file/": 8,
    "spend/<int:spend_id>/": 9,
    "spend/<int:spend_id>/remove/": 6,
    "rates/": 11,
    "rates/upload/": 7,
    "rates/missing/": 10,
    "rates/missing/touchpoints/": 8,
    "rates/conversions/<int:conversion_id>/": 6,
    "accounts/": 9,
    "accounts/<int:account_id>/": 24,
    "catalogue/": 9,
    "catalogue/<int:type_id>/": 18,
    "catalogue/<int:type_id>/map/": 18,
    "rates/<int:rate_id>/remove/": 7,
    "settings/": 8,
    "webhooks/": 12,
    "webhooks/new/": 12,
    "webhooks/<int:webhook_id>/": 20,
    "webhooks/<int:webhook_id>/edit/": 12,
    "webhooks/<int:webhook_id>/secret/": 8,
    "webhooks/<int:webhook_id>/remove/": 8,
    "reports/": 10,
    "reports/new/": 80,
    "reports/<int:report_id>/": 16,
    "reports/<int:report_id>/edit/": 9,
    "reports/<int:report_id>/outside/": 8,
    "reports/<int:report_id>/remove/": 8,
    "reports/<int:report_id>/mailings/<int:mailing_id>/": 12,
    "reports/leave/<int:recipient_id>/<str:signature>/": 6,
    "users/": 7,
    "users/new/": 6,
    "users/<int:user_id>/": 7,
    "users/<int:user_id>/link/": 6,
    "users/<int:user_id>/access/": 7,
    "keys/": 8,
    "keys/new/": 5,
    "keys/<int:key_id>/revoke/": 6,
    "account/": 6,
    "account/keys/new/": 5,
    "account/keys/<int:key_id>/revoke/": 7,
    "styleguide/": 6,
}
# The same page asked for something else.
MORE = {
    "customers/?stage=retention&search=novak": 31,
    "customers/?falling=1": 42,
    "spend/?by=campaign": 12,
    "search/?search=novak+97": 15,
}
# What a page is asked that shows nothing unasked.
ASKED = {"rules/words/": "?what=properties", "customers/<int:customer_id>/ticket/": "?ref=T1"}
KEYS = {
    "models": "seven",
    "segments": "active_customer",
    "campaigns": "spring",
    "sources": "till",
    "experiments": "bow",
}


@pytest.fixture(scope="module")
def furnished(shop: Shop) -> dict[str, Any]:
    """One of everything that a page is about, and what its place in an address is filled with."""
    return furnish(shop, 0)


def furnish(shop: Shop, number: int) -> dict[str, Any]:
    tag = f"-{number}" if number else ""
    now, person = shop.now, f"{1010 + number}"
    customer, model = shop.customer(person).pk, StageModel.objects.get(key="seven")
    segment = Segment.objects.get(key="active_customer")
    create_campaign(key=f"spring{tag}", name=f"Spring {number}", channel="ads", budget=Decimal(100))
    opened = Event(
        message_id=f"ticket {number}",
        identities=(("external_id", person),),
        type="Ticket Opened",
        channel="email",
        occurred_at=now - timedelta(hours=2),
        properties={"ticket_ref": "T1", "reason": "delivery"},
    )
    shop.tell([opened])
    _experiment(f"bow{tag}", now)
    day = date(2026, 1, 1) + timedelta(days=number)
    spend = enter_spend(channel="ads", day=day, amount=Decimal(9), now=now)
    source, _key = create_source(name=f"Till{tag}")
    file = Import.objects.create(
        source=source,
        file_name="a.csv",
        file_sha256=f"{number:064d}",
        file_bytes=1,
        mapping={"source": {"key": source.key}, "columns": {"id": {"as": "id", "kind": "till"}}},
        kind="rows",
        state="done",
        progress={"header": ["id"]},
        finished_at=now,
    )
    stage_rows(record=file, rows=[(2, ["one", "too many"])], tell=lambda _rows: None)
    reject = Reject.objects.create(source=source, reason="no type", raw=b'{"type": "track"}')
    rate, _is_new = enter_rate(currency="USD", day=day, rate=Decimal("0.9"), source="bank")
    pair = [shop.customer(f"{1050 + 2 * number}").pk, shop.customer(f"{1051 + 2 * number}").pk]
    two = [shop.customer(f"{1080 + 2 * number + at}").profiles.get() for at in range(2)]
    doubt = PossibleMerge.objects.create(profile=two[0], other=two[1], kind="user_id", value=f"u{number}")
    asked = {"subject": "customers", "format": "csv", "dialect": "page", "question": "", "byte_order_mark": True}
    export = noted(who=shop.people["admin"], **asked, now=now)
    make_waiting()
    export.refresh_from_db()
    webhook, _secret = create_endpoint(told={"url": f"https://example.org/{number}", "events": [MERGED]}, now=now)
    ping(endpoint=webhook, now=now)
    report = make_report(name=f"Report {number}")
    reader = outsider(report, f"reader{number}@example.org")
    return {
        "report_id": report.pk,
        "mailing_id": ready(report).pk,
        "recipient_id": reader.pk,
        "signature": secret_of(reader),
        "webhook_id": webhook.pk,
        "export_id": export.pk,
        "secret": token(export),
        "customer_id": customer,
        "touchpoint_id": Touchpoint.objects.filter(profile__customer=customer).latest("pk").pk,
        "pair_id": doubt.pk,
        "merge_id": merge(customers=(pair[0], pair[1]), now=now, reason="the same").pk,
        "placement_id": place(customer=customer, model=model.pk, stage="advocacy", reason="r", now=now).pk,
        "change_id": add_segment(key=f"keen{tag}", name=f"Keen{tag}", rule={"did": {"role": "purchase"}}).pk,
        "models": add_example(subject=model.pk, name=f"m{tag}", stage="lapsed", history={}, day=400).pk,
        "segments": add_example(subject=segment.pk, name=f"s{tag}", stage="in", customer=customer, day=1).pk,
        "import_id": file.pk,
        "reject_id": reject.pk,
        "spend_id": spend.pk,
        "rate_id": rate.pk,
        "conversion_id": Conversion.objects.create(currency="USD", finished_at=now).pk,
        "account_id": _account(shop, number),
        "type_id": TouchpointType.objects.get(name="Order Completed").pk,
        "user_id": User.objects.create_user(f"one{tag}@example.org", "a long enough word", role="viewer").pk,
        "key_id": ApiKey.issue(name="one", role="viewer", owner=shop.people["admin"])[0].pk,
    }


def _experiment(key: str, now: datetime) -> None:
    made = create_experiment(
        key=key,
        name=key,
        variants=[("control", 1), ("bow", 1)],
        metrics=[{"kind": "conversion", "days": 7}, {"kind": "revenue", "days": 7}],
        planned=100,
    )
    start_experiment(experiment=made, now=now)
    work_on_experiments(seconds=60)


def _account(shop: Shop, number: int) -> int:
    """The account that pages of accounts are about; each time somebody more belongs to it, and one more is there."""
    profile = shop.customer(f"{1030 + number}").profiles.get()
    Affiliation.objects.create(profile=profile, account_id=shop.account, from_at=shop.now - timedelta(days=9))
    Account.objects.create(key=f"account {number}")
    return shop.account


def filled(route: str, furnished: dict[str, Any]) -> str:
    """An address of a route that leads somewhere."""
    room, asked = route.partition("/")[0], ASKED.get(route, "")
    places = {
        **{f"<{kind}:{name}>": str(value) for name, value in furnished.items() for kind in ("int", "str")},
        "<slug:key>": KEYS.get(room, ""),
        "<int:example>": str(furnished.get(room, "")),
        "<int:number>": "1",
        "<slug:stage>": "retention",
        "<slug:kind>": "csv",
        "<slug:wish>": "start",
        "<path:name>": "alive",
    }
    for place_, value in places.items():
        route = route.replace(place_, value)
    assert "<" not in route, route
    return f"/{route}{asked}"


def read(client: Client, address: str) -> Any:
    answer = client.get(address)
    if answer.streaming:
        b"".join(answer.streaming_content)
    answer.close()
    return answer


def cost(client: Client, address: str) -> list[str]:
    """The queries of a page that was looked at before."""
    assert read(client, address).status_code == 200, address  # compiled rules are kept per process
    with CaptureQueriesContext(connection) as made:
        read(client, address)
    return [query["sql"][:200] for query in made]


@pytest.fixture
def admin(shop: Shop) -> Client:
    return shop.client("admin")


@pytest.mark.parametrize(("route", "most"), [*COSTS.items(), *MORE.items()])
def test_page_costs_no_more_queries_than_this(
    route: str, most: int, shop: Shop, furnished: dict[str, Any], admin: Client
) -> None:
    made = cost(admin, filled(route, furnished))
    assert len(made) <= most, "\n".join(made)


@pytest.mark.parametrize("route", sorted(str(one.pattern) for one in urlpatterns))
def test_every_page_has_a_row_and_every_row_a_page(
    route: str, shop: Shop, furnished: dict[str, Any], admin: Client
) -> None:
    """What only does something answers no GET and needs none."""
    is_page = read(admin, filled(route, furnished)).status_code != 405
    assert is_page == (route in COSTS)


def test_rows_are_of_pages_there_are() -> None:
    assert COSTS.keys() <= {str(one.pattern) for one in urlpatterns}


def test_a_page_costs_no_more_queries_when_there_is_more_of_everything(
    shop: Shop, furnished: dict[str, Any], admin: Client
) -> None:
    before = {route: len(cost(admin, filled(route, furnished))) for route in COSTS}
    for number in range(1, 9):
        furnish(shop, number)
    grown = {route: len(cost(admin, filled(route, furnished))) for route in COSTS}
    assert {route: (before[route], grown[route]) for route in COSTS if grown[route] > before[route]} == {}


def test_a_longer_list_costs_no_more_queries(shop: Shop) -> None:
    client = shop.client("viewer")
    client.get("/customers/")
    with CaptureQueriesContext(connection) as many:
        client.get("/customers/?search=customer")
    with CaptureQueriesContext(connection) as few:
        client.get("/customers/?search=novak")
    # What is all on one page is not counted apart, and a page of fifty rows costs nothing more.
    assert len(few) == len(many)


def test_a_model_nobody_has_is_not_found_on_a_customers_page(shop: Shop) -> None:
    client = shop.client("viewer")
    address = f"/customers/{shop.customer('1005').pk}/"
    assert client.get(f"{address}?model=seven").status_code == 200
    assert client.get(f"{address}?model=nobodys").status_code == 404


def test_the_table_of_stays_shows_the_latest_and_leads_to_all(shop: Shop, monkeypatch: Any) -> None:
    monkeypatch.setattr("analytics.pages.customer.STAYS", 1)
    client = shop.client("viewer")
    address = f"/customers/{shop.customer('1005').pk}/"
    latest, every = client.get(address), client.get(f"{address}?stays=all")
    assert [len(one.spells) for one in latest.context["stays"]] == [1, 1, 1]
    assert all(one.spells[-1].left is None for one in latest.context["stays"])
    left_out = latest.context["stays_before"]
    assert left_out > 0
    assert left_out + 3 == sum(len(one.spells) for one in every.context["stays"])
    assert "not in the table" in latest.content.decode()
    assert "not in the table" not in every.content.decode()

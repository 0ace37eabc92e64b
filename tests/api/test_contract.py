"""The API does what its own description says, whatever is asked: every operation is called with generated requests,
fitting and unfitting ones, through WSGI on the real database, and every answer is held against the description.

`make test` makes a seeded handful of requests per operation; `make soak` others, as many as fit into its time."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from analytics.models import Export
from campaigns.experiments import create_experiment
from campaigns.keeping import create_campaign
from campaigns.outgoing.keeping import create_endpoint, ping
from campaigns.spending import enter_spend
from clm.lib.access.models import ApiKey, User
from clm.wsgi import application
from customers.consents import state_consent
from customers.duplicates import start_search
from customers.ingest import clock
from customers.merge import merge
from customers.models import (
    Account,
    Affiliation,
    Identity,
    Import,
    PossibleMerge,
    Profile,
    RawBody,
    Reject,
    Source,
    Touchpoint,
    TouchpointType,
)
from customers.rates import enter_rate
from customers.review import Possible, propose
from lifecycle.erase import erase
from lifecycle.examples import add_example
from lifecycle.models import HotCustomer, Parked, Placement, Replay, Segment, Stage, StageModel, SubRule
from lifecycle.previews import start_rule_count
from lifecycle.revise import add_segment
from tests.factories import make_customer
from tests.lasting import SOAKING
from tests.lifecycle.making import ago, happened, installed, settle, tell
from tests.reports.conftest import make_report, outsider, ready

# So many requests in all, however many operations there come to be, and never fewer than a few of each.
REQUESTS, A_FEW = 1_400, 8

load_all_checks()
HELD_AGAINST = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)


def description() -> Any:
    return json.loads(OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True)))


SCHEMA = schemathesis.openapi.from_dict(description())
SCHEMA.app = application
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
SENSE = ("plausible", "somewhere", "plausible", "as generated", "plausible")
EXAMPLES = 20 if SOAKING else max(A_FEW, REQUESTS // len(OPERATIONS))


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """One of everything, and what its place in an address is filled with."""
    with django_db_blocker.unblock(), transaction.atomic():
        installed()
        everything = one_of_everything()
        # Checked now, once; left to each test's end, references are checked as often as there are tests.
        connection.check_constraints()
        yield everything
        transaction.set_rollback(True)


@pytest.fixture(scope="module", autouse=True)
def one_connection() -> Iterator[None]:
    """A request neither closes nor checks the connection whose transaction the test will undo."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def one_of_everything() -> dict[str, str]:
    now = clock()
    customer = make_customer(ago(days=300), ago(days=3), name="Anna", email="anna@example.org", plan="pro", note=None)
    twice, parked = make_customer(ago(days=9)), make_customer(ago(days=8))
    merged = merge(customers=(customer, twice), now=now, reason="the same")
    (known_by, *_others) = Identity.objects.filter(profile__customer=customer).values_list("kind", "value")
    ticket = {"ticket_ref": "T1", "reason": "delivery"}
    tell(happened("anna", "Ticket Opened", ago(days=2), properties=ticket, identities=[known_by]))
    settle()
    profile = Profile.objects.filter(customer=customer).first()
    account = Account.objects.create(key="acme", name="Acme", properties={"size": 3, "tags": ["a", None]})
    Affiliation.objects.create(profile=profile, account=account, from_at=ago(days=30))
    state_consent(
        customer=customer,
        address="anna@example.org",
        channel="email",
        purpose="newsletter",
        state="granted",
        source="form",
        now=now,
    )
    pair = [Profile.objects.filter(customer=one).first().pk for one in (customer, parked)]
    propose(pairs=[Possible(*pair, "email", "anna@example.org")], source=Source.objects.get(key="shop").pk)
    model = StageModel.objects.get(key="seven")
    placed = Placement.objects.create(
        profile=profile,
        subject=model,
        stage=Stage.objects.get(subject=model, key="advocacy"),
        from_at=ago(days=2),
        reason="spoke at our fair",
    )
    rate, _is_new = enter_rate(currency="USD", day=date(2020, 1, 1), rate=Decimal("0.9"), source="bank")
    campaign = create_campaign(
        key="spring", name="Spring", channel="ads", audience="active_customer", budget=Decimal(9)
    )
    spend = enter_spend(
        channel="ads", day=date(2024, 1, 2), amount=Decimal("12.5"), currency="USD", campaign="spring", now=now
    )
    source = Source.objects.get(key="shop")
    file = Import.objects.create(
        source=source,
        file_name="orders.csv",
        file_sha256="0" * 64,
        file_bytes=10,
        mapping={"date": "day"},
        state="done",
        lines_read=5,
        lines_used=3,
        set_aside={"no_customer": {"lines": 2, "amount": 150, "ranges": [[2, 3]]}},
        counts={"orders": 3},
        finished_at=now,
    )
    Reject.objects.create(source=source, from_import=file, line_number=4, path="day", reason="no day", raw=b"\xff,1")
    refused = Reject.objects.create(
        source=source, reason="no type", raw=b'{"type": "track", "userId": "u", "event": "E"}'
    )
    Parked.objects.create(customer_id=parked, error="RuntimeError: x", parked_at=now)
    HotCustomer.objects.create(customer_id=parked, touchpoints=30_000, not_before=now)
    drafted = add_segment(key="keen", name="Keen", rule={"did": {"role": "purchase"}})
    user = User.objects.create_user("somebody@example.org", "a long enough password", role="viewer")
    export = Export.objects.create(
        asked_by="somebody", asked_at=now, subject="customers", format="csv", dialect="api", state="ready", rows=3
    )
    webhook, _secret = create_endpoint(told={"url": "https://example.org/", "events": ["customer.merged"]}, now=now)
    delivery = ping(endpoint=webhook, now=now)
    example = add_example(subject=model.pk, name="the first day", stage="lapsed", customer=customer, day=1)
    segment = Segment.objects.get(key="active_customer")
    member = add_example(subject=segment.pk, name="is in it", stage="in", history={}, day=1)
    report = make_report()
    reader = outsider(report, "reader@example.org")
    mailing = ready(report)
    return {
        "report": str(report.pk),
        "recipient": str(reader.pk),
        "mailing": str(mailing.pk),
        "sending": str(mailing.sendings.get().pk),
        "example": str(example.pk),
        "segment_example": str(member.pk),
        "sub_rule": str(SubRule.objects.get(name="advocate").pk),
        "export": str(export.pk),
        "webhook": str(webhook.pk),
        "delivery": str(delivery.pk),
        "customer": str(customer),
        "touchpoint": str(_with_message(customer).pk),
        "parked": str(parked),
        "placement": str(placed.pk),
        "merge": str(merged.pk),
        "duplicate_search": str(start_search(now=now).pk),
        "possible_merge": str(PossibleMerge.objects.get().pk),
        "erasure": str(erase(customer=make_customer(ago(days=7)), now=now).pk),
        "account": str(account.pk),
        "type": str(TouchpointType.objects.get(name="Page Viewed").pk),
        "number": str(file.pk),
        "reject": str(refused.pk),
        "spend": str(spend.pk),
        "rate": str(rate.pk),
        "replay": str(Replay.objects.create().pk),
        "user": str(user.pk),
        "api_key": str(ApiKey.issue(name="one", role="viewer")[0].pk),
        "campaign": campaign.key,
        "experiment": create_experiment(
            key="bow",
            name="A bow",
            variants=[("control", 1), ("bow", 1)],
            metrics=[{"kind": "revenue", "days": 7}],
            planned=10,
        ).key,
        "source": source.key,
        "change": str(drafted.pk),
        "count": str(start_rule_count(rule={"did": {}}, now=now).pk),
    }


def _with_message(customer: int) -> Touchpoint:
    """A touchpoint of theirs whose message is kept."""
    one = Touchpoint.objects.filter(profile__customer=customer).latest("pk")
    where = {"received_at": one.received_at, "source_id": one.source_id, "message_hash": one.message_hash}
    RawBody.objects.create(**where, body=b'{"type": "track"}')
    return one


def existing(path: str, seeded: dict[str, str]) -> dict[str, str]:
    """What the places of an address are filled with so that it leads somewhere."""
    keys = {
        "/keys/": seeded["api_key"],
        "/campaigns/": seeded["campaign"],
        "/experiments/": seeded["experiment"],
        "/sources/": seeded["source"],
        "/segments/": "active_customer",
        "/stage-models/": "seven",
    }
    return {
        **seeded,
        "customer": seeded["parked" if "/parked/" in path else "customer"],
        "key": next((value for part, value in keys.items() if part in path), ""),
        "number": "1" if "/versions/" in path else seeded["number"],
        "stage": "advocacy",
        "name": "crr",
        "example": seeded["segment_example" if "/segments/" in path else "example"],
    }


def plausible(path: str, seeded: dict[str, str]) -> dict[str, list[Any]]:
    """What a person would write where the description can only say "text": generated words seldom name anything."""
    instants = ["2024-01-01", "2025-06-01T10:00:00.000Z", "2025-06-01T10:00:00+02:00"]
    return {
        **dict.fromkeys(("as_of", "from", "occurred_at", "at", "at_from", "created_from", "received_from"), instants),
        **{key: ["2026-01-01"] for key in ("known_at", "until", "at_until", "created_until", "received_until")},
        **{key: ["retention" if "placements" in path else "seven:retention"] for key in ("stage", "falls_to")},
        **{key: ["active_customer"] for key in ("segment", "audience")},
        **{key: ["2024-01-02", "2020-01-01"] for key in ("day", "day_from", "starts_on", "runs_on")},
        **{key: ["12.5", "0.0001", "3"] for key in ("amount", "rate", "budget", "margin_percent")},
        "model": ["seven", "cycle"],
        "group": ["lost", "buyers", "first_paying"],
        "basis": ["paid"],
        "ref": ["T1"],
        "which": ["open", "reason:delivery"] if "tickets" in path else ["answers"],
        "email": ["anna@example.org", "new@example.org"],
        "phone": ["+44 20 7946 0018", ""],
        "channel": ["ads", "email"],
        "campaign": ["spring", None],
        "currency": ["USD", "EUR"],
        "purpose": ["newsletter"],
        **{key: ["Anna", "called back"] for key in ("name", "text", "address", "external_id", "reason")},
        "time_zone": ["Europe/London"],
        "password": ["a rather long password"],
        "customers": [[seeded["customer"], seeded["parked"]]],
        "customer": [seeded["customer"]],
        **{key: [[seeded["customer"]], []] for key in ("add", "remove")},
        "role": ["purchase"] if "timeline" in path else ["admin", "viewer"],
        "type": ["Order Completed"],
        "kind": ["email", "note"],
        "key": ["autumn", "plan"],
        "rule": [{"did": {"role": "purchase"}, "at_least": 2, "within": "90d"}, {"all": [{"did": {}}]}],
        "touchpoints": [[{"occurred_at": "2024-01-01T00:00:00Z", "role": "purchase", "amount": "3.00"}], []],
        "traits": [[]],
        "timezone": ["Europe/Berlin"],
        "values": [["anna@example.org", "nobody"], []],
        "above": ["lapsed", None],
        "history": [{"touchpoints": [{"occurred_at": "2024-01-01T00:00:00Z", "type": "Signed Up"}]}, None],
        **({"stages": [_KEYS]} if path.endswith(("/precedence/", "/positions/")) else {}),
        **({"day": [3, None], "at": [None], "stage": ["lapsed", "in", None]} if "/examples/" in path else {}),
        "url": ["https://example.org/hook"],
        "pages": [[{"view": "metrics", "question": "period=30d"}], [{"view": "spend"}]],
        "weekday": [0, None],
        "model_keys": [["seven"], []],
        "segment_keys": [["active_customer"], []],
        "since": ["2025-01-01"],
        **({"variants": [_VARIANTS], "metrics": [_METRICS]} if "/experiments/" in path else {}),
        "Idempotency-Key": ["one", "two"],
    }


_VARIANTS = [{"key": "control", "weight": 1}, {"key": "other", "weight": 2}]
_METRICS = [{"kind": "conversion", "days": 7}]


_KEYS = ["awareness", "lapsed", "acquisition", "onboarding", "engagement", "retention", "expansion", "advocacy"]


def made_plausible(case: Any, words: dict[str, list[Any]], draw: Any) -> None:
    for part in (case.query, case.body, case.headers):
        if not hasattr(part, "keys"):
            continue
        part.pop("cursor", None)
        for name in [name for name in part if name in words]:
            several = isinstance(part[name], list) and not isinstance(words[name][0], list)
            word = draw(st.sampled_from(words[name]))
            part[name] = [word] if several else word


@pytest.mark.lasting("requests")
@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.label for one in OPERATIONS])
def test_every_answer_is_as_described(operation: Any, seeded: dict[str, str], db: None) -> None:
    key, secret = ApiKey.issue(name="contract", role="admin")
    Export.objects.update(key=key)  # files are of whoever asked for them
    places, words = existing(operation.path, seeded), plausible(operation.path, seeded)
    fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    unfitting = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not SOAKING,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of(fitting, fitting, fitting, unfitting), sense=st.sampled_from(SENSE), data=st.data())
    def ask(case: Any, sense: str, data: Any) -> None:
        if sense != "as generated":
            for name in case.path_parameters or {}:
                case.path_parameters[name] = places[name]
        if sense == "plausible":
            made_plausible(case, words, data.draw)
        with transaction.atomic():
            answer = case.call(headers={"Authorization": f"Bearer {secret}"})
            transaction.set_rollback(True)
        case.validate_response(answer, checks=HELD_AGAINST)

    ask()

"""Whatever is sent: never an error of the server, the neighbours of a bad message are stored, and every page that lists
what came in can still be looked at.

`make test` tries the same few seconds of it every time; `make soak` minutes, each time others."""

import gzip
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from clm.lib.access.models import Role
from customers import catalogue
from customers.events import message_hash
from customers.models import Customer, RawBody, Reject, Touchpoint, Trait, TraitTelling
from customers.raw_bodies import bodies_in
from customers.receiving import door, joining
from customers.receiving.retry import retry_reject
from lifecycle.models import Parked
from tests.conftest import PROJECT
from tests.factories import make_user
from tests.lasting import SHARE, SOAKING
from tests.lifecycle.making import installed, settle

from .sending import Sender, identify, track
from .test_odd_values import MESSAGE, REJECTED, STORED, VALUE, odd

# --- Bytes, guided by what they reach ------------------------------------------------------------------------
WORDS = [
    "batch", "type", "track", "identify", "page", "screen", "group", "alias", "messageId", "userId", "anonymousId",
    "previousId", "groupId", "event", "properties", "traits", "context", "timestamp", "originalTimestamp", "sentAt",
    "writeKey", "campaign", "externalIds", "library", "revenue", "total", "value", "price", "quantity", "currency",
    "products", "order_id", "email", "phone", "Order Completed", "Order Refunded", "NaN", "-Infinity", "1e400",
    "9999-12-31T23:59:59Z", "\\u0000", "\\ud800", "+491701234567",
]  # fmt: skip


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine")
@pytest.mark.django_db(transaction=True)
@pytest.mark.lasting("bytes")
def test_no_bytes_break_the_reader_or_what_stands_beside_them(
    outside_env: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest, record_property: Callable[..., None]
) -> None:
    share = int(request.node.stash.get(SHARE, 0))
    # A soak goes on from what earlier ones found to lead further.
    corpus = (settings.DATA_DIR if share else tmp_path) / "corpus"
    corpus.mkdir(exist_ok=True)
    good = [
        track("1", properties={"revenue": 1.5, "products": [{"sku": "a", "price": 1}]}),
        identify("2", traits={"a": 1}),
    ]
    seeds = [json.dumps(one).encode() for one in good]
    seeds += [raw for raw in REJECTED.values() if len(raw) < 4096]
    seeds += [odd(f'{{"a":{text}}}') for text, _value in STORED.values()]
    seeds += [gzip.compress(json.dumps({"batch": good, "sentAt": "2026-01-01T00:00:00Z"}).encode())]
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_bytes(seed)
    words = tmp_path / "words"
    words.write_text("".join(f'"{word}"\n'.replace("\\u", "\\\\u") for word in WORDS))
    effort = [f"-max_total_time={share}"] if share else ["-runs=12000", "-seed=7"]
    program = [sys.executable, str(Path(__file__).with_name("fuzz_parser.py")), *effort]
    limits = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", f"-dict={words}", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        [*program, *limits, str(corpus)], env=outside_env, cwd=PROJECT, capture_output=True, check=False,
        timeout=120 + share,
    )  # fmt: skip
    told = done.stderr.decode(errors="replace")
    broke = [path.read_bytes()[:500] for path in tmp_path.glob("*-*") if path.is_file()]
    assert done.returncode == 0 and not broke, f"{broke}\n{told[-4000:]}"
    ended = re.search(r"Done (\d+) runs in \d+ second", told)
    assert ended, told[-4000:]
    record_property("examples", ended[1])
    record_property("seen", re.findall(r"cov: \d+ ft: \d+ corp: \S+", told)[-1])


# --- Programs of batches --------------------------------------------------------------------------------------
LISTS = [
    "/", "/customers/", "/customers/?who=anonymous", "/customers/?search=u", "/customers/?sort=-revenue",
    "/customers/?model=seven&stage=awareness", "/metrics/", "/movement/", "/retention/", "/models/seven/", "/segments/",
    "/segments/active_customer/", "/sources/", "/sources/{source}/", "/sources/{source}/tail/", "/system/",
    "/search/?search=u", "/customers/{customer}/", "/customers/{customer}/timeline/",
    *(
        f"/api/v1/{name}/"
        for name in (
            "customers", "identities", "merges", "accounts", "sources", "channels", "touchpoint-types", "rejects",
            "customers/{customer}/timeline", "customers/{customer}/traits",
            "customers/{customer}/identities", "customers/{customer}/affiliations",
        )
    ),
]  # fmt: skip
PEOPLE = st.sampled_from(["u1", "u2", "ü 3", "a" * 512, "0x0", "'; --", "<b>", "😀"])


class Sending(RuleBasedStateMachine):
    """A source whose client sends anything, a browser that looks, and everything undone at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.sender = Sender()
        self.number = 0
        self.sent: list[tuple[bytes, str]] = []
        self.stored: set[str] = set()

    def post(self, body: bytes, path: str = "/v1/batch", **headers: str) -> None:
        assert self.sender.post(body, path, **headers).status_code == 200

    def good(self, **more: Any) -> dict[str, Any]:
        self.number += 1
        return {**track(f"good {self.number}", "Feature Used"), **more}

    @rule(
        messages=st.lists(MESSAGE | VALUE, max_size=4),
        path=st.sampled_from(["/v1/batch", "/v1/b/", "/v1/import", "/v1/track"]),
        sent_at=VALUE,
        squeezed=st.booleans(),
    )
    def send_anything_between_two_good_ones(
        self, messages: list[Any], path: str, sent_at: object, squeezed: bool
    ) -> None:
        first, last = self.good(), self.good(context={"library": {"name": "x"}})
        body = json.dumps({"batch": [first, *messages, last], "sentAt": sent_at}).encode()
        self.post(gzip.compress(body) if squeezed else body, path)
        self.stored |= {first["messageId"], last["messageId"]}
        self.sent.append((body, path))

    @rule(raw=st.sampled_from(sorted(REJECTED.values(), key=len)))
    def send_what_is_refused_between_two_good_ones(self, raw: bytes) -> None:
        first, last = self.good(), self.good()
        before = Reject.objects.count()
        self.post(b'{"batch":[%s,%s,%s]}' % (json.dumps(first).encode(), raw, json.dumps(last).encode()))
        assert Reject.objects.count() == before + 1
        self.stored |= {first["messageId"], last["messageId"]}

    @rule(message=MESSAGE, call=st.sampled_from(["track", "identify", "page", "screen", "group", "alias", "i", "g/"]))
    def call_once(self, message: object, call: str) -> None:
        body = json.dumps(message).encode()
        self.post(body, f"/v1/{call}")

    @rule(
        who=PEOPLE,
        other=PEOPLE,
        kind=st.sampled_from(["identify", "alias", "group", "track"]),
        days=st.integers(-3, 30),
        traits=st.dictionaries(st.sampled_from(["email", "plan", "phone"]), VALUE, max_size=2),
    )
    def say_something_of_people(self, who: str, other: str, kind: str, days: int, traits: dict[str, Any]) -> None:
        self.number += 1
        at = (timezone.now() - timedelta(days=days)).isoformat()
        message = {**track(f"of people {self.number}", user=who), "type": kind, "traits": traits, "timestamp": at}
        message |= {"previousId": other} if kind == "alias" else {"anonymousId": f"device of {other}", "groupId": other}
        self.post(json.dumps({"batch": [message]}).encode())

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        body, path = data.draw(st.sampled_from(self.sent))
        before = Touchpoint.objects.filter(message_hash__in=[message_hash(one) for one in self.stored]).count()
        self.post(body, path)
        assert before == len(self.stored)  # and the invariant says the same of what is there now

    @precondition(lambda _self: Reject.objects.exists())
    @rule()
    def try_a_reject_again(self) -> None:
        retry_reject(reject=Reject.objects.order_by("pk").last(), now=timezone.now())

    @rule()
    def bring_everybody_up_to_date(self) -> None:
        settle()

    @rule(path=st.sampled_from(LISTS))
    def look(self, path: str) -> None:
        looked_at(self.sender, path)

    @invariant()
    def good_ones_are_stored(self) -> None:
        hashes = [message_hash(one) for one in self.stored]
        assert Touchpoint.objects.filter(message_hash__in=hashes).count() == len(hashes)

    def teardown(self) -> None:
        try:
            for row in [*Touchpoint.objects.all(), *Trait.objects.all(), *TraitTelling.objects.all()]:
                assert str(row)
            assert all(all(bodies_in(row).values()) for row in RawBody.objects.all())
            assert not Parked.objects.exists()
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)
            for module in (catalogue, door, joining):
                module.forget()


def looked_at(sender: Sender, path: str) -> None:
    customer = Customer.objects.filter(merged_into=None).order_by("-pk").values_list("pk", flat=True).first()
    if customer is None and "{customer}" in path:
        return
    answer = browser().get(path.format(customer=customer, source=sender.source.key))
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    assert answer.content if not answer.streaming else list(answer.streaming_content)


_browsers: list[Client] = []


def browser() -> Client:
    return _browsers[0]


@pytest.fixture
def admin(db: None) -> Iterator[None]:
    installed()
    client = Client()
    client.force_login(make_user(Role.ADMIN))
    _browsers.append(client)
    yield
    _browsers.clear()


@pytest.mark.lasting("batches")
def test_programs_of_batches_break_nothing(admin: None) -> None:
    run_state_machine_as_test(
        Sending,
        settings=how(
            max_examples=6,
            stateful_step_count=40 if SOAKING else 10,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_every_list_can_be_looked_at_after_everything_odd_at_once(admin: None) -> None:
    sender = Sender()
    people = ["u", "ü", "'; --", "<script>alert(1)</script>", "😀", "%00", "{{7*7}}", "../../etc", "a" * 512]
    messages: list[Any] = [odd(f'{{"a":{text}}}') for text, _value in STORED.values()]
    for number, who in enumerate(people):
        both = {"user": who, "anonymousId": f"{who[:500]} {number}"}
        messages += [
            track(
                f"t{number}", f"{who[:190]} happened", **both, properties={who[:100]: who, "revenue": "1e5", "total": 3}
            ),
            track(
                f"o{number}",
                "Order Completed",
                **both,
                properties={"order_id": who, "total": number, "currency": "XXX"},
            ),
            identify(
                f"i{number}", **both, traits={"name": who, "email": who, "phone": who, who[:100]: [who, {who: None}]}
            ),
            {**identify(f"g{number}", **both, traits={"name": who, who: who}), "type": "group", "groupId": who},
            {**track(f"p{number}", **both), "type": "page", "name": who, "category": who},
        ]
    assert sender.batch(*messages, *REJECTED.values()).status_code == 200
    assert Reject.objects.count() == len(REJECTED)
    settle()
    assert not Parked.objects.exists()
    for path in LISTS:
        looked_at(sender, path)
    for customer in Customer.objects.filter(merged_into=None)[:12]:
        for path in (f"/customers/{customer.pk}/", f"/customers/{customer.pk}/timeline/"):
            looked_at(sender, path)

"""Values that break JSON readers and databases are stored exactly or rejected by themselves; their neighbours are
stored."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import RawBody, Reject, Touchpoint, Trait, TraitTelling
from customers.raw_bodies import bodies_in
from customers.receiving.bodies import NoObject, TooLarge, envelope_of
from customers.receiving.messages import message_of
from customers.receiving.refusal import Refusal

from .sending import Sender, identify, track

pytestmark = pytest.mark.django_db


def odd(text: str, member: str = "properties") -> bytes:
    return f'{{"type":"track","messageId":"odd","event":"Odd","userId":"u","{member}":{text}}}'.encode()


REJECTED = {
    "NaN": odd('{"a":NaN}'),
    "Infinity": odd('{"a":-Infinity}'),
    "NUL": odd('{"a":"x\\u0000"}'),
    "NUL in a name": odd('{"a\\u0000":1}'),
    "half a character": odd('{"a":"\\ud800"}'),
    "no UTF-8": odd('{"a":"@"}').replace(b"@", b"\xff"),
    "bottomless": odd('{"a":' + "[" * 50_000 + "]" * 50_000 + "}"),
    "deep": odd('{"a":' + "[" * 400 + "]" * 400 + "}"),
    "a number of 5,000 digits": odd('{"a":' + "9" * 5000 + "}"),
    "1e400": odd('{"a":1e400}'),
    "1e-400": odd('{"a":1e-400}'),
    "an exponent of 50 digits": odd('{"a":1e' + "3" * 50 + "}"),
    "1e99999999999": odd('{"a":1e99999999999}'),
    "the year 10000": odd('"10000-01-01T00:00:00Z"', "timestamp"),
    "1989": odd('"1989-12-31T00:00:00Z"', "timestamp"),
    "no instant": odd('"yesterday"', "timestamp"),
    "a number for an instant": odd("1700000000", "timestamp"),
    "an id of 9 kB": odd('"' + "x" * 9000 + '"', "anonymousId"),
    "an id that is a list": odd("[1]", "userId"),
    "nobody": odd('" null "', "userId"),
    "properties that are a list": odd("[1]"),
    "no event": odd('""', "event"),
    "an event of 9 kB": odd('"' + "x" * 9000 + '"', "event"),
    "no such type": odd('"buy"', "type"),
    "more than there is": odd('{"revenue":1e12}'),
    "text": b'"text"',
    "nothing": b"null",
    "empty": b"{}",
    "too long": odd('{"a":"' + "x" * 1_100_000 + '"}'),
}


@pytest.mark.parametrize("raw", REJECTED.values(), ids=REJECTED)
def test_what_cannot_be_stored_is_rejected_by_itself_with_its_text(sender: Sender, raw: bytes) -> None:
    assert sender.batch(track("before"), raw, track("after")).status_code == 200
    assert Touchpoint.objects.count() == 2
    reject = Reject.objects.get()
    assert reject.source == sender.source and reject.reason
    assert bytes(reject.raw) == (raw if len(raw) < 1_000_000 else raw[: 32 * 1024])


STORED = {
    "2^70": (str(2**70), 2**70),
    "exact decimals": ("0.12345678901234567890123", Decimal("0.12345678901234567890123")),
    "a long fraction of 1": ("1.10", Decimal("1.10")),
    "duplicate names": ('1,"a":2', 2),
    "an emoji in halves": ('"\\ud83d\\ude00"', "😀"),
    "quotes": ('"%s \\\\ \' ; --"', "%s \\ ' ; --"),
    "an escaped backslash before u0000": ('"\\\\u0000"', "\\u0000"),
    "90 levels": ("[" * 90 + "]" * 90, json.loads("[" * 90 + "]" * 90)),
    "null": ("null", None),
}


@pytest.mark.parametrize(("text", "value"), STORED.values(), ids=STORED)
def test_what_is_merely_odd_is_stored_exactly(sender: Sender, text: str, value: object) -> None:
    raw = odd(f'{{"a":{text}}}')
    assert sender.batch(raw, identify("t", user="u", traits={"b": 1})).status_code == 200
    assert not Reject.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT properties->>'a', properties FROM customers_touchpoint")
        said, whole = cursor.fetchone()
    read = json.loads(whole, parse_float=Decimal)["a"]
    assert read == value
    if isinstance(value, int | Decimal):
        assert said == str(value)
    assert Touchpoint.objects.get().properties.keys() == {"a"}
    assert raw in {body for row in RawBody.objects.all() for body in bodies_in(row).values()}


def test_a_batch_the_strict_reader_refuses_keeps_its_other_messages_and_its_key(sender: Sender) -> None:
    body = b' {"batch" : [' + odd('{"a":"]},{\\"[", "b": NaN}') + b", " + json.dumps(track("1")).encode()
    body += f'] , "sentAt":"nonsense", "writeKey":"{sender.key}"}}\n'.encode()
    assert sender.client.post("/v1/batch", body, "text/plain").status_code == 200
    assert (Touchpoint.objects.count(), Reject.objects.count()) == (1, 1)


def test_trait_values_keep_every_digit_and_repeat_as_themselves(sender: Sender) -> None:
    for number, text in enumerate(["1.10", "1.1", "1.100"]):
        sender.batch(f'{{"type":"identify","messageId":"{number}","userId":"u","traits":{{"a":{text}}}}}'.encode())
    assert Trait.objects.count() == 1
    assert TraitTelling.objects.count() == 3


TEXT = st.text(max_size=12)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "identify", "page", "screen", "group", "alias"]) | VALUE,
        "messageId": TEXT | VALUE,
        "userId": TEXT | VALUE,
        "anonymousId": TEXT | VALUE,
        "previousId": TEXT | VALUE,
        "groupId": TEXT | VALUE,
        "event": st.sampled_from(["Order Completed", "Order Refunded", "Product Added"]) | TEXT,
        "properties": st.dictionaries(
            st.sampled_from(["revenue", "total", "price", "quantity", "currency", "order_id", "products"]) | TEXT, VALUE
        )
        | VALUE,
        "traits": st.dictionaries(st.sampled_from(["email", "phone", "name"]) | TEXT, VALUE) | VALUE,
        "context": st.dictionaries(st.sampled_from(["campaign", "traits", "externalIds", "library"]), VALUE) | VALUE,
        "timestamp": st.datetimes().map(str) | VALUE,
        "originalTimestamp": VALUE,
        "sentAt": st.datetimes().map(str) | VALUE,
    },
)


@pytest.mark.lasting("batches")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(MESSAGE | VALUE, max_size=4), st.sampled_from(["/v1/batch", "/v1/track", "/v1/i"]), VALUE)
def test_whatever_is_sent_is_answered_and_its_neighbours_are_stored(
    sender: Sender, messages: list[object], path: str, sent_at: object
) -> None:
    before = Touchpoint.objects.count()
    at = (timezone.now() - timedelta(minutes=1)).isoformat()
    good = {**track(f"good {before} {messages!r}"), "timestamp": at}
    body = {"batch": [*messages, good], "sentAt": sent_at}
    assert sender.post(json.dumps(body).encode(), path).status_code == 200
    assert Touchpoint.objects.filter(properties={}, type__name="Feature Used").exists()
    assert Touchpoint.objects.count() > before
    for row in Touchpoint.objects.all():
        assert json.dumps(row.properties) and row.occurred_at


@pytest.mark.lasting("bytes")
@settings(max_examples=400)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\abatch0nN ', max_size=60).map(lambda text: text.encode()))
def test_any_bytes_are_cut_into_messages_or_refused(body: bytes) -> None:
    for text in (body, b'{"batch":[' + body + b"]}"):
        try:
            messages = envelope_of(text).messages
        except (NoObject, TooLarge):
            continue
        for raw in messages:
            try:
                message_of(raw)
            except Refusal:
                continue

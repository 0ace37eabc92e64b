"""What a coverage-guided fuzzer tries on everything between a request's body and the database: test_fuzz.py runs it as
a process of its own, with libFuzzer's arguments. Bytes are read, or refused by the one exception that says so; what is
understood can be written as the database wants it; what stands beside a bad message stays what it is."""

import io
import json
import sys
from datetime import UTC, datetime

import atheris
import django
import msgspec

django.setup()

with atheris.instrument_imports(include=["customers.receiving"]):
    from customers.events import body_hash
    from customers.receiving import bodies, instants, meaning, messages
    from customers.receiving.refusal import Refusal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SENDER = meaning.Sender("EUR", "EUR")
GOOD = b'{"type":"track","messageId":"good","userId":"u","event":"Feature Used","properties":{"a":"]},{"}}'
# As customers.ingest writes what it hands to the database.
ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def read(data: bytes) -> None:
    try:
        envelope = bodies.envelope_of(bodies.read_body(io.BytesIO(data)))
    except (bodies.NoObject, bodies.TooLarge):
        return
    sent = instants.sent_of(envelope.sent_at)
    for raw in envelope.messages[:20]:
        understand(raw, sent)


def understand(raw: bytes, sent: datetime | None) -> None:
    try:
        message = messages.message_of(raw, kind="track")
        told = meaning.understood(message, raw, sender=SENDER, sent=sent, received=NOW)
    except Refusal as refusal:
        f"{refusal.path}: {refusal.reason}".encode()
        return
    event = told.event
    assert event.identities
    assert all(0 < len(value) <= 512 and 0 < len(kind) <= 40 for kind, value in event.identities)
    assert 1990 <= event.occurred_at.year <= 9999
    assert 0 < len(event.type) <= 200 and len(event.currency) in (0, 3) and len(event.order_ref) <= 512
    assert event.amount is None or abs(event.amount) < 10**11
    assert event.original_amount is None or abs(event.original_amount) < 10**14
    assert all(0 < len(key) <= 200 for key in event.traits) or "" in event.traits
    body_hash(event)
    text = ENCODER.encode(
        [
            event.identities, event.type, event.order_ref, event.properties, event.traits, told.previous,
            [[line.product, line.description, line.category, line.quantity, line.amount] for line in event.lines],
            None if told.account is None else [told.account.key, told.account.name, told.account.properties],
        ]
    )  # fmt: skip
    # jsonb takes no NUL, and nothing that is no JSON.
    assert b"\\u0000" not in text.replace(b"\\\\", b"")
    json.loads(text)


def beside(data: bytes) -> None:
    """Whatever is one JSON value to a generous reader leaves its neighbours alone."""
    try:
        json.loads(data.decode())
    except (ValueError, RecursionError):
        return
    found = bodies.envelope_of(b'{"batch":[' + GOOD + b"," + data + b"," + GOOD + b"]}").messages
    assert len(found) == 3, found
    assert found[0].strip() == found[2].strip() == GOOD, found


def try_one(data: bytes) -> None:
    read(data)
    read(b'{"batch":[' + data + b"]}")
    beside(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()

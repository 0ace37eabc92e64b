"""The body of a request: read and inflated within bounds, then cut into its messages without understanding them, so
that a message nobody can read harms no neighbour."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

# Inflated, a request. The largest body that Segment's own clients really send is half a megabyte.
LONGEST_BODY = 5 * 1024 * 1024
MOST_MESSAGES = 10_000
_CHUNK = 64 * 1024
_GZIP = b"\x1f\x8b"


class TooLarge(ValueError):  # noqa: N818 told to the client
    """The body is longer, or has more messages, than one request may have."""


class NoObject(ValueError):  # noqa: N818 told to the client
    """The body is not a JSON object."""


class Stream(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request's body. messages: the JSON text of each; those of a single call are the body itself."""

    messages: list[bytes]
    write_key: str
    sent_at: Any
    context: dict[str, Any] | None


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    sentAt: Any = None
    writeKey: Any = None
    context: dict[str, Any] | None = None


_DECODER = msgspec.json.Decoder(_Batch)


def read_body(stream: Stream) -> bytes:
    """All of a stream, inflated if it is gzip; never more than LONGEST_BODY is held, whatever it would inflate to."""
    raw = bytearray()
    while chunk := stream.read(_CHUNK):
        raw += chunk
        if len(raw) > LONGEST_BODY:
            raise TooLarge(f"A request has at most {LONGEST_BODY:,} bytes.")
    # No JSON text begins like gzip, so what a proxy did to the header does not matter.
    return _inflated(bytes(raw)) if raw[:2] == _GZIP else bytes(raw)


def _inflated(raw: bytes) -> bytes:
    whole = bytearray()
    while raw:
        member = zlib.decompressobj(wbits=31)
        while raw and not member.eof:
            try:
                whole += member.decompress(raw, LONGEST_BODY + 1 - len(whole))
            except zlib.error:
                raise NoObject("The body is broken gzip.") from None
            if len(whole) > LONGEST_BODY:
                raise TooLarge(f"A request has at most {LONGEST_BODY:,} bytes, inflated.")
            raw = member.unconsumed_tail
        if not member.eof:
            raise NoObject("The body ends within its gzip.")
        raw = member.unused_data
    return bytes(whole)


def envelope_of(body: bytes) -> Envelope:
    """Cut a body into its messages. NoObject for what is no JSON object, TooLarge for too many messages."""
    try:
        told = _DECODER.decode(body)
    except (ValueError, RecursionError):
        # Something in it is more than the strict reader takes; it may be one message only.
        return _loosely(body)
    messages = [body] if told.batch is None else [bytes(one) for one in told.batch]
    return _envelope(messages, told.writeKey, told.sentAt, told.context)


def _envelope(messages: list[bytes], write_key: Any, sent_at: Any, context: Any) -> Envelope:
    if len(messages) > MOST_MESSAGES:
        raise TooLarge(f"A request has at most {MOST_MESSAGES:,} messages.")
    key = write_key if isinstance(write_key, str) else ""
    return Envelope(messages, key, sent_at, context if isinstance(context, dict) else None)


# --- what the strict reader refuses --------------------------------------------------------------------------
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)
_LONGEST_PLAIN = 100_000


def _loosely(body: bytes) -> Envelope:
    """By brackets and strings alone, so that NaN, half characters and bottomless nesting stay in their message."""
    members = dict(_members(body))
    batch = members.get(b'"batch"', b"").strip()
    messages = list(_items(batch)) if batch[:1] == b"[" else [body.strip()]
    return _envelope(
        messages,
        *(_plain(members.get(name, b"")) for name in (b'"writeKey"', b'"sentAt"', b'"context"')),
    )


def _plain(text: bytes) -> Any:
    """The value of a member, None if it cannot be read."""
    try:
        return msgspec.json.decode(text[:_LONGEST_PLAIN])
    except (ValueError, RecursionError):
        return None


def _members(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The members of an object: name with its quotes, text of the value."""
    for text in _parts(body, b"{", b"}"):
        found = _TOKEN.match(text.lstrip())
        name = found.group() if found else b""
        rest = text.lstrip()[len(name) :].lstrip()
        if name[:1] != b'"' or rest[:1] != b":":
            raise NoObject("The body is not a JSON object.")
        yield name, rest[1:]


def _items(array: bytes) -> Iterator[bytes]:
    for text in _parts(array, b"[", b"]"):
        yield text.strip()


def _parts(text: bytes, opening: bytes, closing: bytes) -> Iterator[bytes]:
    """What stands between the commas of the outermost pair of brackets."""
    text = text.strip()
    if text[:1] != opening or text[-1:] != closing:
        raise NoObject("The body is not a JSON object.")
    depth, start = 0, 1
    for token in _TOKEN.finditer(text):
        what = token.group()
        if what in b"{[":
            depth += 1
        elif what in b"}]":
            depth -= 1
            if depth < 0 or (depth == 0 and token.end() != len(text)):
                raise NoObject("The body is not a JSON object.")
        elif what == b"," and depth == 1:
            yield text[start : token.start()]
            start = token.end()
    if depth != 0:
        raise NoObject("The body is not a JSON object.")
    if last := text[start:-1].strip():
        yield last

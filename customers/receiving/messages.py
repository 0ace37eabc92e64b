"""One message of Segment's specification, typed. Nothing is stored here and no name is given a meaning."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from .refusal import Refusal

# Clients keep to 32 KiB a message; the counter of the Node library is known to let much more through.
LONGEST_MESSAGE = 1024 * 1024
DEEPEST = 100
KINDS = frozenset({"track", "identify", "page", "screen", "group", "alias"})


class Message(msgspec.Struct):
    """As sent. Ids and instants are looked at by whoever needs them, so that each fault can be told with its path."""

    type: str | None = None
    messageId: Any = None
    userId: Any = None
    anonymousId: Any = None
    previousId: Any = None
    groupId: Any = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    channel: Any = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    timestamp: Any = None
    originalTimestamp: Any = None
    sentAt: Any = None


_DECODER = msgspec.json.Decoder(Message, float_hook=Decimal)
# What the database, or Python reading it again, could not take; rare, so looked for before it is looked at. With all
# digits made one, plain searches find it in a thirtieth of a regular expression's time.
_DIGITS_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_MANY_DIGITS = b"0" * 200
_GREATEST = 300  # powers of ten, either way; beyond, numbers are no longer read back as they were written
_AT = re.compile(r"^(.*?) - at `\$\.?(.*)`$")


def message_of(raw: bytes, *, kind: str | None = None, is_suspect: bool = True) -> Message:
    """Read the JSON text of one message; `kind` is its type where the address says it; is_suspect: false where
    `are_suspect` has found nothing in it. Refusal for what cannot be stored exactly."""
    if len(raw) > LONGEST_MESSAGE:
        raise Refusal("", f"is longer than {LONGEST_MESSAGE:,} bytes")
    try:
        if not raw.isascii():
            raw.decode()
        message = _DECODER.decode(raw)
    except UnicodeDecodeError:
        raise Refusal("", "is not UTF-8") from None
    except RecursionError:
        raise Refusal("", f"is nested deeper than {DEEPEST} levels") from None
    except InvalidOperation:  # an exponent that is itself a number beyond all measure
        raise Refusal("", f"holds a number beyond 10^{_GREATEST}") from None
    except ValueError as error:
        raise _refused(error, raw) from None
    if (is_suspect and _is_suspect(raw)) or raw.count(b"{") + raw.count(b"[") > DEEPEST:
        for name in ("type", "messageId", "event", "name", "category"):
            _storable(getattr(message, name), name, 1)
        for name in ("properties", "traits", "context"):
            _storable(getattr(message, name), name, 1)
    message.type = message.type or kind
    if message.type not in KINDS:
        raise Refusal("type", f"is none of {', '.join(sorted(KINDS))}")
    return message


def are_suspect(messages: Sequence[bytes]) -> bool:
    """Whether the text of some messages holds anything that might not be storable; all at once cost a fifth of one by
    one, and nearly always nothing is found."""
    return _is_suspect(b" ".join(messages))


def _is_suspect(raw: bytes) -> bool:
    alike = raw.translate(_DIGITS_ALIKE)
    return b"\\u0000" in raw or b"e000" in alike or b"e+000" in alike or b"e-000" in alike or _MANY_DIGITS in alike


def _refused(error: ValueError, raw: bytes) -> Refusal:
    found = _AT.match(str(error))
    if found:
        return Refusal(found[2], found[1].lower())
    for word in (b"NaN", b"Infinity"):
        if word in raw:
            return Refusal("", f"holds {word.decode()}, which JSON does not have")
    if re.search(rb"\\u[dD][89a-fA-F]", raw):
        return Refusal("", "holds half a character")
    return Refusal("", "is not JSON: " + str(error).removeprefix("JSON is malformed: "))


def _storable(value: Any, path: str, depth: int) -> None:
    """Refusal for NUL, numbers out of bounds, and nesting that is too deep."""
    if isinstance(value, str):
        if "\0" in value:
            raise Refusal(path, "holds a character that cannot be stored")
    elif isinstance(value, Decimal):
        if not value.is_finite() or (value and abs(value.adjusted()) > _GREATEST) or len(value.as_tuple().digits) > 300:
            raise Refusal(path, "is a number that cannot be stored exactly")
    elif isinstance(value, int):
        if abs(value) > 10**_GREATEST:
            raise Refusal(path, "is a number that cannot be stored exactly")
    elif depth > DEEPEST:
        raise Refusal(path[:200], f"is nested deeper than {DEEPEST} levels")
    elif isinstance(value, dict):
        for key, each in value.items():
            if "\0" in key:
                raise Refusal(path, "has a name that holds a character that cannot be stored")
            _storable(each, f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            _storable(each, f"{path}[{number}]", depth + 1)

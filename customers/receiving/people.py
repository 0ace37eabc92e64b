"""Whom a message is about: its identities, folded, strongest first."""

import re
from decimal import Decimal
from typing import Any
from unicodedata import normalize

import phonenumbers

from .refusal import Refusal

LONGEST = 512
# What programs send when they mean nobody: following them would make one person of everybody.
ILLEGAL = frozenset(
    {
        "anonymous",
        "guest",
        "null",
        "none",
        "nil",
        "0",
        "nan",
        "undefined",
        "true",
        "false",
        "[object object]",
        "email",
        "id",
        "distinct_id",
        "",
    }
)
_LONGEST_ILLEGAL = max(map(len, ILLEGAL))
_EMAIL = re.compile(r'[^\s@,;:<>"()]+@[^\s@,;:<>"()]+\.[^\s@,;:<>"().]{2,}')
_LONGEST_KIND = 40

Identity = tuple[str, str]


def person_id(value: Any, path: str) -> str:
    """An id as text; "" for none and for one that means nobody. Everything else is kept exactly."""
    if value is None:
        return ""
    if type(value) is str:
        text = value
    elif isinstance(value, bool | list | dict):
        raise Refusal(path, "is neither text nor a number")
    else:
        text = str(value) if isinstance(value, int | Decimal) else value
    if len(text) > LONGEST:
        raise Refusal(path, f"is longer than {LONGEST} characters")
    if "\0" in text:
        raise Refusal(path, "holds a character that cannot be stored")
    return "" if is_illegal(text) else text


def is_illegal(text: str) -> bool:
    # What is longer and has nothing to be stripped is none of them, and that is nearly everything.
    if len(text) > _LONGEST_ILLEGAL and text.isascii() and text[0].isalnum() and text[-1].isalnum():
        return False
    plain = text if text.isascii() else normalize("NFKC", text)
    return plain.strip().strip("\"'").casefold() in ILLEGAL


def email_of(value: Any) -> str:
    """An address, trimmed, NFC, lower-case; "" for what is none."""
    if not isinstance(value, str) or len(value) > LONGEST or "\0" in value:
        return ""
    folded = normalize("NFC", value).strip().lower()
    return folded if len(folded) <= 254 and _EMAIL.fullmatch(folded) else ""


def phone_of(value: Any) -> str:
    """A number in E.164; "" for one without its country, for that could be anybody's."""
    if not isinstance(value, str) or not 5 <= len(value) <= 60 or not value.strip().startswith("+"):
        return ""
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def external_ids(context: dict[str, Any]) -> list[Identity]:
    """The ids other systems have given: `context.externalIds` of Segment, a list of {type, id}."""
    told = context.get("externalIds")
    if not isinstance(told, list):
        return []
    found = []
    for number, one in enumerate(told):
        if not isinstance(one, dict):
            continue
        path = f"context.externalIds[{number}]"
        kind, value = one.get("type"), person_id(one.get("id"), f"{path}.id")
        # A client may not name the kinds that ids of its own have.
        if value and isinstance(kind, str) and 0 < len(kind.strip()) <= _LONGEST_KIND - 4 and "\0" not in kind:
            found.append((f"ext:{kind.strip().lower()}", value))
    return found

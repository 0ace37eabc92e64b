"""Plain values of JSON documents, each read with the path of its place; what is none of the kind is refused there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NoReturn

from lifecycle.rules.document import RuleError, is_storable

LONGEST_NAME = 200
DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def name_of(value: object, path: str, what: str) -> str:
    """A text that the database can look for."""
    if not isinstance(value, str) or not value or len(value) > LONGEST_NAME or not is_storable(value):
        refuse(path, f"{what} is a text of 1 to {LONGEST_NAME} characters that is not empty")
    return value


def names_of(value: Mapping[str, object], key: str, path: str) -> tuple[str, ...] | None:
    if key not in value:
        return None
    given = value[key]
    listed = items_of(given, f"{path}.{key}", "name") if isinstance(given, list) else [given]
    names = []
    for index, name in enumerate(listed):
        at = f"{path}.{key}[{index}]" if isinstance(given, list) else f"{path}.{key}"
        if not isinstance(name, str) or not name:
            refuse(at, f"a {key} is a name or a list of names, not {kind_of(name)}")
        if not is_storable(name):
            refuse(at, "a name has no null characters and no halves of characters")
        names.append(name)
    return tuple(names)


def items_of(value: object, path: str, what: str) -> list[object]:
    if not isinstance(value, list):
        refuse(path, f"a list is needed here, not {kind_of(value)}")
    if not value:
        refuse(path, f"the list needs at least one {what}")
    return value


def count_of(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        refuse(path, "a whole number from 1 is needed here")
    return value


def ten_thousandths_of(value: object, path: str) -> int:
    if not isinstance(value, str) or not DECIMAL.fullmatch(value):
        refuse(path, '"by" is a decimal text such as "1.25"')
    if len(value.partition(".")[2]) > 4:
        refuse(path, '"by" has at most 4 decimal places')
    ratio = int(Decimal(value).scaleb(4))
    if not 1 <= ratio <= 10_000_000:
        refuse(path, '"by" lies from 0.0001 to 1000')
    return ratio


def scaled(digits: Iterable[int], exponent: int) -> tuple[int, bool]:
    """digits * 10**exponent rounded down, and whether anything was cut off. Exact: no decimal context takes part."""
    number = int("".join(map(str, digits)))
    if exponent >= 0:
        return number * 10**exponent, False
    units, rest = divmod(number, 10**-exponent)
    return units, rest > 0


def required(document: Mapping[str, object], key: str, path: str) -> object:
    if key not in document:
        refuse(path, f'"{key}" is missing')
    return document[key]


def text_keys(document: dict[object, object], path: str) -> list[str]:
    keys = [key for key in document if isinstance(key, str)]
    if len(keys) < len(document):
        refuse(path, "the keys of an object are texts")
    return keys


def child(path: str, key: str) -> str:
    key = key[:40]
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f'{path}["{key}"]'


def joined(words: Iterable[str]) -> str:
    return ", ".join(words)


def kind_of(value: object) -> str:
    """What a value is, in the words of JSON; never the value itself, which may be endless."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, list | tuple):
        return "a list"
    return "an object" if isinstance(value, dict) else "something else"


def refuse(path: str, message: str) -> NoReturn:
    raise RuleError(path, message)

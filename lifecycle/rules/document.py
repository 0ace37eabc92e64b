"""JSON text to a document, strictly: decimals are never floats, names do not repeat, NaN and Infinity are refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

LONGEST_TEXT = 1_000_000


class RuleError(ValueError):
    """A document that is no rule. `path` is the JSON path of the place (`$.all[0].did.where[1].gte`), `message` says
    what is wrong there."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def load_document(text: str | bytes, *, longest: int = LONGEST_TEXT) -> object:
    """The JSON document in `text`. Raises RuleError, also for nesting too deep for Python and for overlong text."""
    if len(text) > longest:
        raise RuleError("$", f"a document has at most {longest:,} characters")
    try:
        document = json.loads(text, parse_float=_decimal, parse_constant=_refuse_constant, object_pairs_hook=_object)
        _refuse_odd_texts(document)
        return document
    except RuleError:
        raise
    except RecursionError:
        raise RuleError("$", "the document is nested too deeply") from None
    except ValueError as error:
        raise RuleError("$", f"this is not JSON: {str(error)[:200]}") from None


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise RuleError("$", f"the number {text[:40]} is out of range")
    return number


def _refuse_odd_texts(document: object) -> None:
    left: list[tuple[str, object]] = [("$", document)]
    while left:
        path, one = left.pop()
        texts = one.keys() if isinstance(one, dict) else [one] if isinstance(one, str) else ()
        if not all(is_storable(text) for text in texts):
            raise RuleError(path, "a text here has a null character, or half of a character")
        if isinstance(one, dict):
            left += [(f"{path}.{key[:40]}", value) for key, value in one.items()]
        elif isinstance(one, list):
            left += [(f"{path}[{index}]", value) for index, value in enumerate(one)]


def _refuse_constant(text: str) -> NoReturn:
    raise RuleError("$", f"{text} is not a JSON number")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise RuleError("$", f'the key "{key[:40]}" is given twice in one object')
            seen.add(key)
    return document


def is_storable(text: str) -> bool:
    """Whether the database can hold the text: no null character, no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def stored_document(document: object) -> Any:
    """The document as a database keeps it, which knows decimals as floats. The document must be a rule already, or
    made of rules: those do not nest endlessly. Raises RuleError for a number with more digits than a float keeps."""
    if isinstance(document, Mapping):
        return {key: stored_document(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [stored_document(value) for value in document]
    if not isinstance(document, Decimal):
        return document
    if document == document.to_integral_value() and document.adjusted() < 30:
        return int(document)
    if Decimal(repr(float(document))) != document:
        raise RuleError("$", f"the number {str(document)[:40]} has more digits than can be kept")
    return float(document)

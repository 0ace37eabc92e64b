"""JSON text to a document, strictly: decimals are never floats, names do not repeat, NaN and Infinity are refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import NoReturn

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
        return json.loads(text, parse_float=_decimal, parse_constant=_refuse_constant, object_pairs_hook=_object)
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

"""Cursors: where a page of a list begins, as one opaque word. A cursor is a few whole numbers and a letter that says
which list it belongs to; whatever does not decode to exactly that is refused."""

import base64
import binascii
import re

from .questions import QuestionError

_WRITTEN = re.compile(r"([a-z]):(-?[0-9]{1,19}(?:,-?[0-9]{1,19})*)")
_LARGEST = 2**63 - 1


def cursor(kind: str, *numbers: int) -> str:
    """The cursor of list `kind` (one letter) at these numbers."""
    text = f"{kind}:{','.join(str(number) for number in numbers)}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_cursor(text: str, *, kinds: str, count: int, field: str = "cursor") -> tuple[str, tuple[int, ...]]:
    """The kind and the `count` numbers of a cursor made for one of the lists `kinds`; QuestionError otherwise."""
    try:
        padded = text + "=" * (-len(text) % 4)
        match = _WRITTEN.fullmatch(base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        match = None
    if match is not None and match[1] in kinds:
        numbers = tuple(int(number) for number in match[2].split(","))
        if len(numbers) == count and all(-_LARGEST <= number <= _LARGEST for number in numbers):
            return match[1], numbers
    raise QuestionError(field, "this is no cursor of this list; take it from `next` or `previous` of an earlier page")

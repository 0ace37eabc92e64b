"""Cursors: where a page of a list begins, as one opaque word. A cursor is a few whole numbers and a letter that says
which list it belongs to, perhaps with a text after them; whatever does not decode to exactly that is refused."""

import base64
import binascii
import re

from django.utils.translation import gettext as _

from .questions import QuestionError

_WRITTEN = re.compile(r"([a-z]):(-?[0-9]{1,19}(?:,-?[0-9]{1,19})*)")
_LARGEST = 2**63 - 1
# What a cursor with a text of sixty letters may be long; each letter is up to four bytes.
LONGEST = 500


def cursor(kind: str, *numbers: int) -> str:
    """The cursor of list `kind` (one letter) at these numbers."""
    return _encoded(f"{kind}:{','.join(str(number) for number in numbers)}")


def text_cursor(kind: str, *numbers: int, text: str) -> str:
    """The same for a list that is sorted by a text."""
    return _encoded(f"{kind}:{','.join(str(number) for number in numbers)}:{text}")


def parse_cursor(text: str, *, kinds: str, count: int, field: str = "cursor") -> tuple[str, tuple[int, ...]]:
    """The kind and the `count` numbers of a cursor made for one of the lists `kinds`; QuestionError otherwise."""
    return _parsed(_decoded(text), kinds, count, field)


def parse_text_cursor(text: str, *, kinds: str, count: int, field: str = "cursor") -> tuple[str, tuple[int, ...], str]:
    """The kind, the `count` numbers and the text of a cursor made by `text_cursor`; QuestionError otherwise."""
    written = _decoded(text)
    head, said = "", ""
    if written.count(":") >= 2 and "\x00" not in written:
        kind, numbers, said = written.split(":", 2)
        head = f"{kind}:{numbers}"
    return (*_parsed(head, kinds, count, field), said)


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(text: str) -> str:
    """What stands in a cursor, "" when it is none."""
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode() if len(text) <= LONGEST else ""
    except (binascii.Error, ValueError):
        return ""


def _parsed(written: str, kinds: str, count: int, field: str) -> tuple[str, tuple[int, ...]]:
    match = _WRITTEN.fullmatch(written)
    if match is not None and match[1] in kinds:
        numbers = tuple(int(number) for number in match[2].split(","))
        if len(numbers) == count and all(-_LARGEST <= number <= _LARGEST for number in numbers):
            return match[1], numbers
    raise QuestionError(field, _("This page cannot be found: its address is not whole. Begin at the first page."))

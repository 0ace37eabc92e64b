"""JSON bodies of the API: of a bounded length, and refused where Python would give up."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

LONGEST_BODY = 1_000_000


class JSONBodyParser(JSONParser):
    """JSON of at most LONGEST_BODY bytes."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        bounded: Any = _Bounded(stream)
        try:
            return super().parse(bounded, media_type, parser_context)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None


class _Bounded:
    """A stream that ends in an error instead of going on for ever."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.left = LONGEST_BODY

    def read(self, size: int = -1) -> bytes:
        found: bytes = self.stream.read(self.left + 1 if size < 0 else min(size, self.left + 1))
        self.left -= len(found)
        if self.left < 0:
            raise ParseError(f"A body has at most {LONGEST_BODY:,} bytes.")
        return found

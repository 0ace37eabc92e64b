"""What a file holds, whatever its format: named columns of a kind each, and rows that are read while it is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """What the values of a column are; every one may be None.

    ID: int, a name of something and nothing to count with. TEXT: str. WHOLE: int. MONEY: int, minor units of the
    reporting currency. DECIMAL: Decimal. INSTANT: an aware datetime in UTC. JSON: the text of a JSON document."""

    ID = "id"
    TEXT = "text"
    WHOLE = "whole"
    MONEY = "money"
    DECIMAL = "decimal"
    INSTANT = "instant"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file."""

    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, a portion at a time, each a tuple as long as `columns`. total: how many there will be, None
    where counting them would take longer than it helps. minor_digits: of amounts."""

    columns: tuple[Column, ...]
    portions: Iterator[Sequence[tuple[Any, ...]]]
    minor_digits: int
    total: int | None = None

"""SQL files: `<app>/sql/<name>.sql`, one query each, read once, run with named parameters."""

import re
import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper

# A plan that a session keeps was made for tables as they were, and those that were empty may be large a minute later:
# so it looks up by an index even where reading a table whole seems to cost nothing, and is made anew now and then.
# Before PostgreSQL 18 what is switched off seems endlessly dear, and what seems dear is compiled whenever it is
# executed.
REPLAN_SECONDS = 15.0
_PLANNED = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
_NO_SUCH_STATEMENT = "26000"
_PARAMETER = re.compile(r"%\((\w+)\)s(::[a-z]+(?:\[\])?)")
# By session of the database: the statements it has prepared, and when.
_prepared: WeakKeyDictionary[Any, dict[str, float]] = WeakKeyDictionary()


@cache
def query(name: str) -> str:
    """The text of `<app>/sql/<query>.sql` for a name like `customers/profiles_of`."""
    app, _slash, file = name.partition("/")
    path: Path = settings.BASE_DIR / app / "sql" / f"{file}.sql"
    return path.read_text()


def run(name: str, /, **parameters: Any) -> CursorWrapper:
    """Execute a query file on the default connection and return the cursor, ready to fetch from."""
    cursor = connection.cursor()
    cursor.execute(query(name), parameters)
    return cursor


def rows(name: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
    """All rows of a query file."""
    with run(name, **parameters) as cursor:
        return cursor.fetchall()


def records(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
    """All rows of a query file as dicts by column name."""
    with run(name, **parameters) as cursor:
        columns = [column.name for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def array(values: Sequence[Any]) -> Any:
    """Values as the text of an array, for a parameter that its file casts. The driver writes a list as an expression of
    one constant each, which PostgreSQL has to read one by one: of thousands of texts that takes longer than finding
    their rows. Values that are not, but for None, all of one kind that is known here are left to the driver."""
    if not values:
        return "{}"
    kinds = set(map(type, values))
    if kinds == _TEXTS:
        joined = '","'.join(values)
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return f'{{"{joined}"}}'
    kinds.discard(_NONE)
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is str:
        return f"{{{','.join(['NULL' if value is None else _quoted(value) for value in values])}}}"
    if kind not in _ALIKE:
        return list(values)
    # JSON writes these, and None, as PostgreSQL reads them within an array.
    return f"{{{_WRITER.encode(values)[1:-1].decode()}}}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_TEXTS, _NONE = {str}, type(None)
_ALIKE = frozenset({int, bool, Decimal, datetime})
_WRITER = msgspec.json.Encoder(decimal_format="number")


def prepared_rows(name: str, /, **parameters: Any) -> list[tuple[Any, ...]]:
    """All rows of a query file that is run many times a second: the session reads and plans it once in a while and not
    every time, which for a long statement costs as much as a third of its work. Within a transaction only; the file
    casts every parameter, because nothing else says of what type it is."""
    preparing, executing = _statements(name)
    given = {key: array(value) if isinstance(value, list) else value for key, value in parameters.items()}
    with connection.cursor() as cursor:
        session = connection.connection
        known = _prepared.get(session)
        if known is None:
            known = _prepared[session] = {}
            _say(session, "DEALLOCATE ALL")
        now = time.monotonic()
        if name not in known or known[name] < now - REPLAN_SECONDS:
            if known.pop(name, None) is not None:
                _say(session, f"DEALLOCATE {_identifier(name)}")
            _say(session, preparing)
            known[name] = now
        try:
            cursor.execute(executing, given)
        except DatabaseError as error:
            if getattr(error.__cause__, "pgcode", None) == _NO_SUCH_STATEMENT:
                del _prepared[session]  # a pooler has tidied up; the next transaction prepares anew
            raise
        return cursor.fetchall()


@cache
def _statements(name: str) -> tuple[str, str]:
    """How a query file is prepared, and how it is executed with named parameters. One plan is kept for all values: what
    PostgreSQL would try first, five plans for these very values, is what shall be saved. Both settings last as long as
    the transaction, in which only that is done which indexes serve."""
    text = query(name)
    kinds = dict(reversed(_PARAMETER.findall(text)))
    place = {parameter: number for number, parameter in enumerate(kinds, start=1)}
    numbered = _PARAMETER.sub(lambda found: f"${place[found[1]]}{found[2]}", text).replace("%%", "%")
    given = f" ({', '.join(f'%({each})s{kind}' for each, kind in kinds.items())})" if kinds else ""
    return f"PREPARE {_identifier(name)} AS {numbered}", f"{_PLANNED}; EXECUTE {_identifier(name)}{given}"


def _identifier(name: str) -> str:
    return name.replace("/", "_")


def _say(session: Any, statement: str) -> None:
    """To the session itself: making it ready is no part of what anybody asked of it."""
    with connection.wrap_database_errors, session.cursor() as cursor:
        cursor.execute(statement)

"""SQL files: `<app>/sql/<name>.sql`, one query each, read once, run with named parameters."""

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper


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

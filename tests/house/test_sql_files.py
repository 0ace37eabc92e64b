"""Every SQL file: somebody uses it, its head says what a row is, and PostgreSQL can plan it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

FILES = sorted(settings.BASE_DIR.glob("*/sql/*.sql"))
NAMES = [f"{path.parent.parent.name}/{path.stem}" for path in FILES]
_PARAMETER = re.compile(r"%\((\w+)\)s")


def text_of(path: Path) -> str:
    return path.read_text()


def head_of(path: Path) -> str:
    lines = text_of(path).splitlines()
    return " ".join(line.removeprefix("--") for line in lines[: next(i for i, x in enumerate(lines) if x[:2] != "--")])


def test_there_are_sql_files() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_head_names_every_parameter(path: Path) -> None:
    head = head_of(path)
    assert len(head) > 40
    missing = {name for name in _PARAMETER.findall(text_of(path)) if not re.search(rf"\b{name}\b", head)}
    assert missing == set()


def test_every_file_is_used_by_its_name() -> None:
    code = "".join(
        path.read_text()
        for app in ("clm", "customers", "lifecycle", "campaigns", "analytics")
        for path in (settings.BASE_DIR / app).rglob("*.py")
    )
    assert [name for name in NAMES if f'"{name}"' not in code] == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_postgresql_can_plan_it(path: Path) -> None:
    statement = _PARAMETER.sub("NULL", text_of(path)).replace("%%", "%")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement)
        assert cursor.fetchall()
        transaction.set_rollback(True)

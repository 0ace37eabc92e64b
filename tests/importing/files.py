"""Small made-up files of people, and how to bring them in."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from customers.importing.mapping import RowMapping
from customers.importing.work import RowsImported, import_rows, try_rows
from customers.models import Customer, Identity, Import, Trait

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
HEADER = "Record ID,Email,First Name,Plan,Create Date,Opted out"
DOCUMENT: dict[str, Any] = {
    "source": {"key": "crm", "name": "Our CRM"},
    "channel": "crm",
    "columns": {
        "Record ID": {"as": "id", "kind": "crm"},
        "Email": {"as": "email"},
        "First Name": {"as": "trait", "key": "firstName"},
        "Plan": {"as": "trait", "key": "plan"},
        "Create Date": {"as": "touchpoint", "type": "Contact Created"},
        "Opted out": {
            "as": "consent",
            "channel": "email",
            "purpose": "marketing",
            "says": {"yes": "withdrawn", "no": "granted"},
        },
    },
}


def person(
    number: int = 1, *, email: str | None = None, name: str = "Ada", plan: str = "free", made: str = "2025-03-04",
    opted_out: str = "",
) -> str:  # fmt: skip
    return ",".join((str(number), f"p{number}@example.org" if email is None else email, name, plan, made, opted_out))


def document(**overrides: Any) -> dict[str, Any]:
    return {**DOCUMENT, **overrides}


def columns(**overrides: Any) -> dict[str, Any]:
    return {**DOCUMENT["columns"], **overrides}


def write(folder: Path, *lines: str, header: str = HEADER, name: str = "people.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes("".join(f"{each}\r\n" for each in (header, *lines)).encode(encoding))
    return path


def bring(path: Path, *, now: datetime = NOW, said: dict[str, Any] | None = None) -> RowsImported:
    return import_rows(path=path, mapping=RowMapping.from_document(said or DOCUMENT), now=now, tell=lambda _line: None)


def tried(path: Path, *, now: datetime = NOW, said: dict[str, Any] | None = None) -> dict[str, Any]:
    return try_rows(path=path, mapping=RowMapping.from_document(said or DOCUMENT), now=now, tell=lambda _line: None)


def counts(record: Import) -> tuple[int, int, int, int]:
    """New, updated, unchanged, rejected."""
    told = record.counts
    return (
        told.get("rows_new", 0),
        told.get("rows_updated", 0),
        told.get("rows_unchanged", 0),
        record.lines_set_aside,
    )


def owner_of(value: str) -> Customer:
    return Customer.objects.get(profiles__identities=Identity.objects.get(value=value))


def traits_of(value: str) -> dict[str, Any]:
    steps = Trait.objects.filter(profile__identities__value=value).order_by("last_seen_at", "pk")
    return {step.key: step.value for step in steps}

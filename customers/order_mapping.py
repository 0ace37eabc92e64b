"""The document that says how to read a file of order lines: its encoding, which column is what, how times and numbers
are written, and what a refund looks like. Checked whole before a file is opened; every fault names its field."""

import json
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).resolve().parent / "mappings"
NEEDED_COLUMNS = ("invoice", "product", "quantity", "price", "time", "customer")
OPTIONAL_COLUMNS = ("description", "category")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class BadMapping(ValueError):  # noqa: N818 told to people
    """A mapping document that cannot be used. `path` names the field."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"mapping, {path}: {message}" if path else f"mapping: {message}")
        self.path = path


@dataclass(frozen=True, slots=True)
class OrderMapping:
    """A checked mapping. columns: what it is -> the name in the file's header; traits: trait key -> column.

    time_format is a strptime format or "iso"; times without an offset are local to time_zone. missing_customers are the
    texts, besides an empty cell, that mean that nobody is named. An empty refund_prefix: the file has no refunds."""

    source_key: str
    source_name: str
    columns: Mapping[str, str]
    traits: Mapping[str, str]
    time_format: str
    time_zone: str
    currency: str
    encoding: str
    delimiter: str
    decimal_mark: str
    channel: str
    identity_kind: str
    refund_prefix: str
    not_products: frozenset[str]
    missing_customers: frozenset[str]
    document: Mapping[str, Any]

    @classmethod
    def from_document(cls, document: Any) -> "OrderMapping":
        """Check a document; raises BadMapping naming the first field at fault."""
        fields = _Fields(document, "")
        source = _Fields(fields.take("source", dict), "source")
        key = source.text("key", pattern=_SLUG)
        name = source.text("name", default=key)
        source.end()
        columns = _columns(fields.take("columns", dict))
        traits = _traits(fields.take("traits", dict, default={}))
        encoding = fields.text("encoding", default="utf-8")
        _check_encoding(encoding)
        delimiter = fields.text("delimiter", default=",")
        if len(delimiter) != 1 or delimiter in '"\r\n\0':
            raise BadMapping("delimiter", "must be one character, such as a comma, a semicolon or a tab")
        decimal_mark = fields.text("decimal_mark", default=".")
        if decimal_mark not in (".", ","):
            raise BadMapping("decimal_mark", 'must be "." or ","')
        time_format = fields.text("time_format")
        _check_time_format(time_format)
        time_zone = fields.text("time_zone")
        if time_zone not in zoneinfo.available_timezones():
            raise BadMapping("time_zone", f'"{time_zone}" is not a zone such as Europe/London')
        mapping = cls(
            source_key=key,
            source_name=name,
            columns=columns,
            traits=traits,
            time_format=time_format,
            time_zone=time_zone,
            currency=fields.text("currency", pattern=re.compile("[A-Z]{3}")),
            encoding=encoding,
            delimiter=delimiter,
            decimal_mark=decimal_mark,
            channel=fields.text("channel", default="shop", pattern=_SLUG),
            identity_kind=fields.text("identity_kind", default="customer_id", pattern=_SLUG),
            refund_prefix=fields.text("refund_prefix", default="", may_be_empty=True),
            not_products=frozenset(code.casefold() for code in fields.texts("not_products")),
            missing_customers=frozenset(fields.texts("missing_customers")) | {""},
            document=document,
        )
        fields.end()
        return mapping

    @classmethod
    def load(cls, name_or_path: str) -> "OrderMapping":
        """A mapping that comes with the program, by its name, or one of your own, by the path of its JSON file."""
        shipped = SHIPPED / f"{name_or_path}.json"
        path = shipped if re.fullmatch(r"\w+", name_or_path) and shipped.exists() else Path(name_or_path)
        try:
            document = json.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            known = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.json")))
            raise BadMapping("", f'there is no file "{name_or_path}"; mappings that come along: {known}') from None
        except (OSError, ValueError, RecursionError) as error:
            raise BadMapping("", f'"{name_or_path}" cannot be read as JSON: {error}') from error
        return cls.from_document(document)


class _Fields:
    """The members of one object of the document, each taken once; what is left over at the end is refused."""

    def __init__(self, document: Any, path: str) -> None:
        if not isinstance(document, dict):
            raise BadMapping(path, "must be an object")
        self.left = dict(document)
        self.path = path

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        value = self.left.pop(key, default)
        if value is None:
            raise BadMapping(self.at(key), "is missing")
        if not isinstance(value, kind):
            names: dict[Any, str] = {str: "a text", dict: "an object", list: "a list"}
            raise BadMapping(self.at(key), f"must be {names[kind]}")
        return value

    def text(
        self,
        key: str,
        *,
        default: str | None = None,
        pattern: re.Pattern[str] | None = None,
        may_be_empty: bool = False,
    ) -> str:
        value: str = self.take(key, str, default)
        if not value and not may_be_empty:
            raise BadMapping(self.at(key), "must not be empty")
        if pattern is not None and not pattern.fullmatch(value):
            raise BadMapping(self.at(key), f'"{value}" does not have the form {pattern.pattern}')
        return value

    def texts(self, key: str) -> list[str]:
        values = self.take(key, list, [])
        for number, value in enumerate(values):
            if not isinstance(value, str):
                raise BadMapping(f"{self.at(key)}[{number}]", "must be a text")
        return values

    def end(self) -> None:
        if self.left:
            raise BadMapping(self.at(min(self.left)), "is not a field of a mapping")


def _columns(document: dict[str, Any]) -> dict[str, str]:
    fields = _Fields(document, "columns")
    columns = {what: fields.text(what) for what in NEEDED_COLUMNS}
    columns |= {what: fields.text(what) for what in OPTIONAL_COLUMNS if what in document}
    fields.end()
    return columns


def _traits(document: dict[str, Any]) -> dict[str, str]:
    fields = _Fields(document, "traits")
    traits = {key: fields.text(key) for key in document}
    for key in traits:
        if not key or len(key) > 200 or "\0" in key:
            raise BadMapping("traits", "a trait's key has 1 to 200 characters")
    return traits


def _check_encoding(encoding: str) -> None:
    try:
        "a".encode(encoding)
    except LookupError as error:
        raise BadMapping("encoding", f'"{encoding}" is not a known text encoding such as utf-8 or cp1252') from error


def _check_time_format(time_format: str) -> None:
    """A format must give back the day that was written with it: one without a year, say, does not."""
    if time_format == "iso":
        return
    example = datetime(2011, 12, 31, 13, 45)  # noqa: DTZ001 a wall clock without a zone is what is meant
    try:
        read = datetime.strptime(example.strftime(time_format), time_format)  # noqa: DTZ007
    except ValueError as error:
        raise BadMapping("time_format", f'"{time_format}" is not a format of dates: {error}') from error
    if read.date() != example.date():
        raise BadMapping("time_format", f'"{time_format}" does not say day, month and year')

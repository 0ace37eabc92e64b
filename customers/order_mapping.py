"""The document that says how to read a file of order lines: its encoding, which column is what, how times and numbers
are written, and what a refund looks like. Checked whole before a file is opened; every fault names its field."""

import json
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .mapping_fields import CURRENCY, SLUG, BadMapping, Fields, check_encoding, check_time_format, consent_says

SHIPPED = Path(__file__).resolve().parent / "mappings"
NEEDED_COLUMNS = ("invoice", "product", "quantity", "price", "time", "customer")
OPTIONAL_COLUMNS = ("description", "category")
# What a file says of an order as a whole, on one of its lines.
MONEY_COLUMNS = ("subtotal", "shipping", "taxes", "total", "discount", "refunded", "refunded_at")
ORDER_COLUMNS = (*MONEY_COLUMNS, "status", "cancelled_at", "currency")


@dataclass(frozen=True, slots=True)
class OrderConsent:
    """The column in which an order says what its customer agreed to; says: folded cell -> state, "" for nothing."""

    column: str
    channel: str
    purpose: str
    says: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OrderMapping:
    """A checked mapping. columns: what it is -> the name in the file's header; traits: trait key -> column; order: what
    is said of the order as a whole -> column.

    time_format is a strptime format or "iso"; times without an offset are local to time_zone. missing_customers are the
    texts, besides an empty cell, that mean that nobody is named. An empty refund_prefix: the file has no refunds.
    fills_down: what is left empty in a row of an invoice is what its row before says. price_is_total: a price is
    that of the whole line, not of one. cancelled: folded texts of the status of an order that was called off; kept:
    those of one that stays an order although it was called off. consent: None where the file says nothing of it."""

    source_key: str
    source_name: str
    columns: Mapping[str, str]
    traits: Mapping[str, str]
    order: Mapping[str, str]
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
    fills_down: bool
    price_is_total: bool
    cancelled: frozenset[str]
    kept: frozenset[str]
    consent: OrderConsent | None
    document: Mapping[str, Any]

    @property
    def needed(self) -> list[str]:
        """The columns that a file must have."""
        told = [self.consent.column] if self.consent else []
        return list(dict.fromkeys([*self.columns.values(), *self.traits.values(), *self.order.values(), *told]))

    @property
    def says_more_later(self) -> bool:
        """Whether a later file may say of a known order that it was called off, or that more of it was paid back."""
        return not self.order.keys().isdisjoint(("refunded", "status", "cancelled_at"))

    @classmethod
    def from_document(cls, document: Any) -> "OrderMapping":
        """Check a document; raises BadMapping naming the first field at fault."""
        fields = Fields(document, "")
        source = Fields(fields.take("source", dict), "source")
        key = source.text("key", pattern=SLUG)
        name = source.text("name", default=key)
        source.end()
        columns = _columns(fields.take("columns", dict))
        traits = _traits(fields.take("traits", dict, default={}))
        order = _order(fields.take("order", dict, default={}))
        encoding = fields.text("encoding", default="utf-8")
        check_encoding(encoding)
        delimiter = fields.text("delimiter", default=",")
        if len(delimiter) != 1 or delimiter in '"\r\n\0':
            raise BadMapping("delimiter", "must be one character, such as a comma, a semicolon or a tab")
        decimal_mark = fields.text("decimal_mark", default=".")
        if decimal_mark not in (".", ","):
            raise BadMapping("decimal_mark", 'must be "." or ","')
        time_format = fields.text("time_format")
        check_time_format(time_format)
        time_zone = fields.text("time_zone")
        if time_zone not in zoneinfo.available_timezones():
            raise BadMapping("time_zone", f'"{time_zone}" is not a zone such as Europe/London')
        mapping = cls(
            source_key=key,
            source_name=name,
            columns=columns,
            traits=traits,
            order=order,
            time_format=time_format,
            time_zone=time_zone,
            currency=fields.text("currency", pattern=CURRENCY),
            encoding=encoding,
            delimiter=delimiter,
            decimal_mark=decimal_mark,
            channel=fields.text("channel", default="shop", pattern=SLUG),
            identity_kind=fields.text("identity_kind", default="customer_id", pattern=SLUG),
            refund_prefix=fields.text("refund_prefix", default="", may_be_empty=True),
            not_products=frozenset(code.casefold() for code in fields.texts("not_products")),
            missing_customers=frozenset(fields.texts("missing_customers")) | {""},
            fills_down=fields.truth("fills_down"),
            price_is_total=fields.truth("price_is_total"),
            cancelled=frozenset(text.strip().casefold() for text in fields.texts("cancelled_statuses")),
            kept=frozenset(text.strip().casefold() for text in fields.texts("kept_statuses")),
            consent=_consent(fields.take("consent", dict, default={})),
            document=document,
        )
        fields.end()
        if mapping.consent is not None and mapping.identity_kind != "email":
            raise BadMapping("consent", "is about an e-mail address: it needs the identity_kind email")
        return mapping

    @classmethod
    def load(cls, name_or_path: str) -> "OrderMapping":
        """A mapping that comes with the program, by its name, or one of your own, by the path of its JSON file."""
        return cls.from_document(loaded(name_or_path))


def loaded(name_or_path: str) -> Any:
    """The document of a mapping, by its name or its path; BadMapping if it cannot be read."""
    shipped = SHIPPED / f"{name_or_path}.json"
    path = shipped if re.fullmatch(r"\w+", name_or_path) and shipped.exists() else Path(name_or_path)
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.json")))
        raise BadMapping("", f'there is no file "{name_or_path}"; mappings that come along: {known}') from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadMapping("", f'"{name_or_path}" cannot be read as JSON: {error}') from error


def is_of_orders(document: Any) -> bool:
    """Whether a document is to be read as one of order lines. Those came first and need not say what they are: their
    columns are names, not objects."""
    if not isinstance(document, dict):
        return True  # so that reading it says what is wrong
    if "kind" in document:
        return bool(document["kind"] == "orders")
    columns = document.get("columns")
    return isinstance(columns, dict) and bool(columns) and all(isinstance(one, str) for one in columns.values())


def _columns(document: dict[str, Any]) -> dict[str, str]:
    fields = Fields(document, "columns")
    columns = {what: fields.text(what) for what in NEEDED_COLUMNS}
    columns |= {what: fields.text(what) for what in OPTIONAL_COLUMNS if what in document}
    fields.end()
    return columns


def _order(document: dict[str, Any]) -> dict[str, str]:
    fields = Fields(document, "order")
    if "subtotal" not in document and not document.keys().isdisjoint(MONEY_COLUMNS):
        raise BadMapping("order.subtotal", "is missing: what the goods cost after discounts")
    found = {what: fields.text(what) for what in ORDER_COLUMNS if what in document}
    fields.end()
    return found


def _consent(document: dict[str, Any]) -> OrderConsent | None:
    if not document:
        return None
    fields = Fields(document, "consent")
    found = OrderConsent(
        column=fields.text("column"),
        channel=fields.text("channel", default="email", pattern=SLUG),
        purpose=fields.text("purpose", default="marketing", pattern=SLUG),
        says=consent_says(fields),
    )
    fields.end()
    return found


def _traits(document: dict[str, Any]) -> dict[str, str]:
    fields = Fields(document, "traits")
    traits = {key: fields.text(key) for key in document}
    for key in traits:
        if not key or len(key) > 200 or "\0" in key:
            raise BadMapping("traits", "a trait's key has 1 to 200 characters")
    return traits

"""The document that says what each column of a file of people means. Checked whole before a row is read; every fault
names its field. A file of order lines has a mapping of its own kind (`customers.order_mapping`)."""

import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..mapping_fields import CHANNEL, SLUG, BadMapping, Fields, check_encoding, check_time_format, consent_says
from ..models import Consent

LONGEST_KEY, LONGEST_TYPE = 200, 200
MOST_COLUMNS = 1_000
# What a column may be, in the words of people. The first ones say who a row is about, strongest first.
USES: dict[str, Any] = {
    "user_id": _("User id"),
    "id": _("Id in another system"),
    "email": _("E-mail address"),
    "phone": _("Phone number"),
    "anonymous_id": _("Id of a device"),
    "trait": _("Trait"),
    "touchpoint": _("Date of a touchpoint"),
    "consent": _("Consent"),
    "account": _("Company"),
    "told_at": _("When the row changed last"),
    "leave": _("Leave out"),
}
RECOGNISING = ("user_id", "id", "email", "phone", "anonymous_id")
TRAIT_TYPES: dict[str, Any] = {
    "text": _("text, as it stands"),
    "number": _("number"),
    "truth": _("yes or no"),
    "time": _("date"),
    "list": _("list of texts"),
}
UNIX = ("unix", "unix_ms")
# A day of which day, month and hour differ and may be taken for each other.
_EXAMPLE = datetime(2011, 3, 4, 5, 6, 7)  # noqa: DTZ001 a wall clock without a zone is what is meant


class NamesNobody(BadMapping):
    """No column says who a row is about. People meet it on a page who have never seen a mapping, so it names no place
    in the document."""

    def __init__(self) -> None:
        super().__init__("columns", "")
        self.args = (
            gettext(
                "No column says who a row is about, so nothing can be read. Choose for one column that it is an e-mail "
                "address, an id or a phone number."
            ),
        )


@dataclass(frozen=True, slots=True)
class Column:
    """One use of a column. kind: of an id; key: of a trait, or what it says of the account (`name`, `key`, or a
    property); type: of a touchpoint or a trait; says: folded cell -> state of consent; at: the column of a consent's
    instant; parted_by: what parts several ids or addresses in one cell, of which the first counts."""

    name: str
    use: str
    kind: str = ""
    key: str = ""
    type: str = ""
    channel: str = ""
    purpose: str = ""
    says: Mapping[str, str] = field(default_factory=dict)
    at: str = ""
    parted_by: str = ""


@dataclass(frozen=True, slots=True)
class RowTouchpoint:
    """A touchpoint that a whole row tells of. at, amount, currency, order_ref, id: columns ("" for none); only: by
    column folded texts, one of which must stand there; properties: name -> column."""

    type: str
    at: str
    channel: str = ""
    amount: str = ""
    currency: str = ""
    currency_code: str = ""
    order_ref: str = ""
    id: str = ""
    is_refund: bool = False
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> set[str]:
        """Every column that is looked at."""
        told = (self.at, self.amount, self.currency, self.order_ref, self.id, *self.only, *self.properties.values())
        return {name for name in told if name}


@dataclass(frozen=True, slots=True)
class RowConsent:
    """What the file as a whole says of everybody in it; at: a column, "" for the instant of the file."""

    channel: str
    purpose: str
    state: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class RowMapping:
    """A checked mapping. time_formats are tried in order, and no two of them read one text differently; times without
    an offset are local to time_zone."""

    source_key: str
    source_name: str
    format: str
    encoding: str
    delimiter: str
    decimal_mark: str
    time_formats: tuple[str, ...]
    time_zone: str
    channel: str
    phone_region: str
    strips_apostrophes: bool
    columns: tuple[Column, ...]
    touchpoints: tuple[RowTouchpoint, ...]
    consents: tuple[RowConsent, ...]
    document: Mapping[str, Any]

    @property
    def needed(self) -> list[str]:
        """The columns a file must have."""
        names = [one.name for one in self.columns] + [one.at for one in self.columns if one.at]
        names += [one.at for one in self.consents if one.at]
        return list(dict.fromkeys([*names, *(name for each in self.touchpoints for name in sorted(each.columns))]))

    @classmethod
    def from_document(cls, document: Any) -> "RowMapping":
        """Check a document; raises BadMapping naming the first field at fault."""
        fields = Fields(document, "")
        if fields.text("kind", default="rows") != "rows":
            raise BadMapping("kind", 'must be "rows"')
        source = Fields(fields.take("source", dict), "source")
        key = source.text("key", pattern=SLUG)
        name = source.text("name", default=key)
        source.end()
        form = fields.text("format", default="csv")
        if form not in ("csv", "xlsx"):
            raise BadMapping("format", 'must be "csv" or "xlsx"')
        encoding, delimiter = fields.text("encoding", default="utf-8"), fields.text("delimiter", default=",")
        check_encoding(encoding)
        if len(delimiter) != 1 or delimiter in '"\r\n\0':
            raise BadMapping("delimiter", "must be one character, such as a comma, a semicolon or a tab")
        decimal_mark = fields.text("decimal_mark", default=".")
        if decimal_mark not in (".", ","):
            raise BadMapping("decimal_mark", 'must be "." or ","')
        time_zone = fields.text("time_zone", default="UTC")
        if time_zone not in zoneinfo.available_timezones():
            raise BadMapping("time_zone", f'"{time_zone}" is not a zone such as Europe/London')
        mapping = cls(
            source_key=key,
            source_name=name[:100],
            format=form,
            encoding=encoding,
            delimiter=delimiter,
            decimal_mark=decimal_mark,
            time_formats=_time_formats(fields.texts("time_formats")),
            time_zone=time_zone,
            channel=fields.text("channel", default="import", pattern=CHANNEL),
            phone_region=fields.text("phone_region", default="", may_be_empty=True),
            strips_apostrophes=fields.truth("strips_apostrophes"),
            columns=_columns(fields.take("columns", dict)),
            touchpoints=_touchpoints(fields.take("touchpoints", list, [])),
            consents=_consents(fields.take("consents", list, [])),
            document=document,
        )
        fields.end()
        if not any(one.use in RECOGNISING for one in mapping.columns):
            raise NamesNobody
        return mapping


def restricted(document: Mapping[str, Any], header: Iterable[str]) -> dict[str, Any]:
    """A document without what it says of columns that a file does not have."""
    known = set(header)
    kept = dict(document)
    columns: dict[str, Any] = {}
    for name, uses in document.get("columns", {}).items():
        if name in known:
            columns[name] = [
                {key: value for key, value in use.items() if key != "at" or value in known} for use in _listed(uses)
            ]
    kept["columns"] = columns
    touchpoints = []
    for one in document.get("touchpoints", []):
        if one.get("at") in known and set(one.get("only", {})) <= known:
            cut = {
                key: value
                for key, value in one.items()
                if key not in ("amount", "currency", "order_ref", "id") or value in known
            }
            if "properties" in cut:
                cut["properties"] = {key: column for key, column in cut["properties"].items() if column in known}
            touchpoints.append(cut)
    kept["touchpoints"] = touchpoints
    kept["consents"] = [
        {key: value for key, value in one.items() if key != "at" or value in known}
        for one in document.get("consents", [])
    ]
    return kept


def _listed(uses: Any) -> list[Any]:
    return list(uses) if isinstance(uses, list) else [uses]


def _columns(document: dict[str, Any]) -> tuple[Column, ...]:
    if not 0 < len(document) <= MOST_COLUMNS:
        raise BadMapping("columns", f"names 1 to {MOST_COLUMNS} columns")
    found: list[Column] = []
    traits: set[str] = set()
    for name, uses in document.items():
        for number, use in enumerate(_listed(uses)):
            path = f"columns.{name}" if number == 0 else f"columns.{name}[{number}]"
            column = _column(name, Fields(use, path))
            if column.use == "trait":
                if column.key in traits:
                    raise BadMapping(path, f'the trait "{column.key}" is told by two columns')
                traits.add(column.key)
            if column.use != "leave":
                found.append(column)
    return tuple(found)


def _column(name: str, fields: Fields) -> Column:
    use = fields.text("as")
    if use not in USES:
        raise BadMapping(fields.at("as"), f'"{use}" is none of {", ".join(USES)}')
    kind = key = type_name = channel = purpose = at = parted_by = ""
    says: dict[str, str] = {}
    if use == "id":
        kind = fields.text("kind", pattern=SLUG)
    elif use == "trait":
        key, type_name = fields.text("key"), fields.text("type", default="text")
        if len(key) > LONGEST_KEY or "\0" in key:
            raise BadMapping(fields.at("key"), f"a trait's key has 1 to {LONGEST_KEY} characters")
        if type_name not in TRAIT_TYPES:
            raise BadMapping(fields.at("type"), f'"{type_name}" is none of {", ".join(TRAIT_TYPES)}')
    elif use == "touchpoint":
        type_name = _type(fields)
        channel = fields.text("channel", default="", may_be_empty=True)
    elif use == "consent":
        channel, purpose = fields.text("channel", pattern=SLUG), fields.text("purpose", pattern=SLUG)
        says, at = consent_says(fields), fields.text("at", default="", may_be_empty=True)
    elif use == "account":
        key = fields.text("key", default="name")
        if len(key) > LONGEST_KEY or "\0" in key:
            raise BadMapping(fields.at("key"), f"a property's name has 1 to {LONGEST_KEY} characters")
    if use in RECOGNISING:
        parted_by = fields.text("parted_by", default="", may_be_empty=True)
    fields.end()
    return Column(name, use, kind, key, type_name, channel, purpose, says, at, parted_by)


def _type(fields: Fields) -> str:
    name = fields.text("type")
    if len(name) > LONGEST_TYPE or "\0" in name or name != name.strip():
        raise BadMapping(fields.at("type"), f"a type's name has 1 to {LONGEST_TYPE} characters")
    return name


def _touchpoints(documents: Sequence[Any]) -> tuple[RowTouchpoint, ...]:
    found = []
    for number, document in enumerate(documents):
        fields = Fields(document, f"touchpoints[{number}]")
        only = fields.take("only", dict, {})
        for column, texts in only.items():
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise BadMapping(f"{fields.at('only')}.{column}", "must be a list of texts")
        properties = fields.take("properties", dict, {})
        for key, column in properties.items():
            if not isinstance(column, str) or not key or len(key) > LONGEST_KEY:
                raise BadMapping(f"{fields.at('properties')}.{key}", "must be the name of a column")
        one = RowTouchpoint(
            type=_type(fields),
            at=fields.text("at"),
            channel=fields.text("channel", default="", may_be_empty=True),
            amount=fields.text("amount", default="", may_be_empty=True),
            currency=fields.text("currency", default="", may_be_empty=True),
            currency_code=fields.text("currency_code", default="", may_be_empty=True),
            order_ref=fields.text("order_ref", default="", may_be_empty=True),
            id=fields.text("id", default="", may_be_empty=True),
            is_refund=fields.truth("is_refund"),
            only={column: frozenset(text.strip().casefold() for text in texts) for column, texts in only.items()},
            properties=properties,
        )
        fields.end()
        found.append(one)
    return tuple(found)


def _consents(documents: Sequence[Any]) -> tuple[RowConsent, ...]:
    found = []
    for number, document in enumerate(documents):
        fields = Fields(document, f"consents[{number}]")
        state = fields.text("state")
        if state not in Consent.State.values:
            raise BadMapping(fields.at("state"), f"must be one of {', '.join(Consent.State.values)}")
        channel, purpose = fields.text("channel", pattern=SLUG), fields.text("purpose", pattern=SLUG)
        found.append(RowConsent(channel, purpose, state, fields.text("at", default="", may_be_empty=True)))
        fields.end()
    return tuple(found)


def _time_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """Every format by itself, and no two that read one text as two instants: nothing is ever guessed."""
    found = tuple(dict.fromkeys(formats or ["iso"]))
    for number, one in enumerate(found):
        if one not in UNIX:
            try:
                check_time_format(one)
            except BadMapping as error:
                raise BadMapping(f"time_formats[{number}]", str(error).partition(": ")[2]) from None
    told = [one for one in found if one not in (*UNIX, "iso")]
    for one in told:
        text = _EXAMPLE.strftime(one)
        for other in (*told, *(["iso"] if "iso" in found else [])):
            try:
                read = datetime.fromisoformat(text) if other == "iso" else datetime.strptime(text, other)  # noqa: DTZ007
            except ValueError:
                continue
            if read.date() != _EXAMPLE.date():
                raise BadMapping("time_formats", f'"{one}" and "{other}" read {text} as two different days')
    if set(UNIX) <= set(found):
        raise BadMapping("time_formats", "seconds and milliseconds since 1970 cannot be told apart")
    return found

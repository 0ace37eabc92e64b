"""How a file is written, and what its columns may mean, for people to look at before anything is read by it: encoding
and separator by looking at the beginning, the system by its header, columns by how they are commonly called."""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from clm.lib import sql

from ..models import Installation
from ..order_mapping import MONEY_COLUMNS
from ..parsing import BadFile
from .event_lines import lines_of
from .mapping import restricted
from .presets import Preset, preset_of, recognised
from .tables import opened_as

LOOKED_AT = 1 << 20  # bytes of a file that are looked at
ROWS = 20
_SEPARATORS = ",;\t|"
# Commonly so called, folded to letters and digits.
_NAMES: tuple[tuple[str, dict[str, Any]], ...] = (
    (r"e?mail(address)?|emailaddress1|primaryemail|useremail|contactemail", {"as": "email"}),
    (r"userid|uid", {"as": "user_id"}),
    (r"(id|customerid|contactid|externalid|recordid|clientid|memberid|personid)", {"as": "id", "kind": "external"}),
    (r"(mobile|cell|tele)?phone(number|no)?|mobile(number)?|tel(ephone)?", {"as": "phone"}),
    (r"(full|display|contact)?name", {"as": "trait", "key": "name"}),
    (r"first(name)?|givenname|vorname|prenom", {"as": "trait", "key": "firstName"}),
    (r"last(name)?|surname|familyname|nachname", {"as": "trait", "key": "lastName"}),
    (r"(company|organi[sz]ation|account)(name)?|firma", {"as": "account", "key": "name"}),
    (r"(lastmodified|modified|updated|changed)(date|at|on|time)?", {"as": "told_at"}),
    (r"(unsubscribed|optedout|optout|emailoptout)", {
        "as": "consent", "channel": "email", "purpose": "marketing",
        "says": {"yes": "withdrawn", "true": "withdrawn", "1": "withdrawn", "no": "", "false": "", "0": ""},
    }),
    (r"(acceptsmarketing|subscribed|optin|emailoptin|newsletter|acceptsemailmarketing)", {
        "as": "consent", "channel": "email", "purpose": "marketing",
        "says": {"yes": "granted", "true": "granted", "1": "granted",
                 "no": "", "false": "", "0": ""},
    }),
)  # fmt: skip
# What the columns of order lines are commonly called, folded likewise: the order's number, and what stands on a line.
_ORDER_NUMBER = r"(order|invoice|receipt|bill)(s?id|number|num|no|nr|ref(erence)?|code|name)?"
_ON_A_LINE = (
    r"(line|item|order|ordered)?(quantity|qty|units|pieces)(ordered|sold|purchased)?",
    r"(line|item|unit|product|sale|sales|net|gross)?price(perunit|each|paid|net|gross)?|unitcost|priceperitem",
)
STEPS = 20_000  # of traits, the latest, whose names are offered
# Days and instants that can be read in one way only, and their formats.
_DATES = (
    ("iso", re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?")),
    ("%d.%m.%Y", re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}")),
    ("%d.%m.%Y %H:%M", re.compile(r"\d{1,2}\.\d{1,2}\.\d{4} \d\d:\d\d")),
)
# A preset's columns are known under their names as they are written; the rest of a file is kept as texts.
_WORDS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Looked:
    """What the beginning of a file shows. preset: None for a file of no known system; document: how to read it."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    preset: Preset | None
    document: dict[str, Any]


def looks_like_order_lines(header: Sequence[str]) -> bool:
    """Whether a file of no known system seems to hold the lines of orders, one a row: it has a column for the number of
    an order, and one for how many or for the price of one."""
    folded = [_WORDS.sub("", name.casefold()) for name in header]
    return any(re.fullmatch(_ORDER_NUMBER, name) for name in folded) and any(
        re.fullmatch(pattern, name) for name in folded for pattern in _ON_A_LINE
    )


def looked_at(*, path: Path, file_name: str, preset: str = "", key: str = "") -> Looked:
    """Look at a file. preset: what somebody says it is; key: the key of its source. BadFile if it cannot be read."""
    form, encoding, delimiter = written_as(path)
    if form == "jsonl":
        return _messages(path, preset)
    sheet = opened_as(path, form=form, encoding=encoding, delimiter=delimiter)
    rows = tuple((line, tuple(cells)) for line, cells in _first(sheet.rows))
    known = preset_of(preset) if preset else recognised(header=sheet.header, file_name=file_name)
    found = document_of(header=sheet.header, preset=known, key=key or _key(file_name))
    if known is None:
        found = _as_they_look(found, sheet.header, rows)
    if found.get("kind") == "orders":
        found |= {"encoding": encoding, "delimiter": delimiter, "currency": _currency(found, sheet.header, rows)}
    if found.get("kind", "rows") == "rows":
        found |= {"format": form, "encoding": encoding, "delimiter": delimiter}
    return Looked(tuple(sheet.header), rows, known, found)


def _as_they_look(
    document: Mapping[str, Any], header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]
) -> dict[str, Any]:
    """A guessed document with what the first rows and the traits of others say: a column whose cells are all days or
    instants that can be read in one way holds dates; one that is called as a trait is, but for capitals, is that
    trait."""
    known = {key.casefold(): key for (key,) in sql.rows("customers/traits_told_lately", most=STEPS)}
    columns, formats = {}, ["iso"]
    taken = {use.get("key") for uses in document["columns"].values() for use in uses if use["as"] == "trait"}
    for name, uses in document["columns"].items():
        use = dict(uses[0])
        if use["as"] == "trait" and use["key"] == name[:200]:
            own = known.get(name.strip().casefold(), use["key"])
            use["key"] = own if own not in taken else use["key"]
            place = list(header).index(name)
            cells = [cells[place].strip() for _line, cells in rows if place < len(cells) and cells[place].strip()]
            form = next((one for one, pattern in _DATES if cells and all(map(pattern.fullmatch, cells))), "")
            if form:
                use["type"] = "time"
                formats += [form] if form not in formats else []
        columns[name] = [use]
    zone = Installation.current().time_zone  # a system says its own; of no known one people here wrote the times
    return {**document, "columns": columns, "time_formats": formats, "time_zone": zone}


def _messages(path: Path, preset: str) -> Looked:
    """A dump of messages, one a line."""
    rows = tuple((line, tuple(cells)) for line, cells in islice(lines_of(path), ROWS))
    known = preset_of(preset or "segment_events")
    if known is None or known.kind != "events":
        raise BadFile(path, "holds messages, one a line, and no columns")
    return Looked(("message",), rows, known, dict(known.document))


def _currency(document: dict[str, Any], header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> str:
    """The currency of a file of orders: what its first rows say, else the one that is reported in."""
    column = document.pop("currency_from", "")
    if column in header:
        place = list(header).index(column)
        said = (cells[place].strip().upper() for _line, cells in rows if len(cells) > place)
        if found := next((code for code in said if re.fullmatch("[A-Z]{3}", code)), ""):
            return found
    return Installation.current().currency


def _first(rows: Any) -> list[tuple[int, list[str]]]:
    """Some rows; a fault further on is for the reading of the whole file to tell."""
    found: list[tuple[int, list[str]]] = []
    try:
        found.extend(islice(rows, ROWS))
    except BadFile:
        if not found:
            raise
    return found


def written_as(path: Path) -> tuple[str, str, str]:
    """Format, encoding and separator; BadFile for a file that cannot be opened."""
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
        if zipfile.is_zipfile(path):
            return "xlsx", "utf-8", ","
    except OSError as error:
        raise BadFile(path, f"cannot be read: {error.strerror or error}") from error
    encoding = _encoding(start)
    if start.lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith(b"{"):
        return "jsonl", "utf-8", ","
    text = start.decode(encoding, errors="ignore")
    return "csv", encoding, _separator(text)


def _encoding(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252" if not any(byte in start for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)) else "latin-1"
    return "utf-8"


def _separator(text: str) -> str:
    """The one that parts the header, and the first rows, into the same number of cells."""
    text = text.lstrip("\ufeff")
    best, most = ",", 1.0
    for one in _SEPARATORS:
        try:
            widths = [
                len(cells) for cells in islice(csv.reader(io.StringIO(text, newline=""), delimiter=one), 10) if cells
            ]
        except csv.Error:
            continue
        if not widths:
            continue
        agreeing = sum(width == widths[0] for width in widths) / len(widths)
        if widths[0] > 1 and widths[0] * agreeing > most:
            best, most = one, widths[0] * agreeing
    return best


def document_of(*, header: Sequence[str], preset: Preset | None, key: str) -> dict[str, Any]:
    """How to read a file of a system, or of none: its own columns as the preset says, all others as texts."""
    if preset is not None and preset.kind == "orders":
        return _orders(preset.document, header)
    if preset is not None and preset.kind != "rows":
        return dict(preset.document)
    columns: dict[str, Any] = {}
    if preset is None:
        taken: set[str] = set()
        for name in header:
            use = _guessed(name)
            if use is not None and use["as"] in ("email", "user_id", "told_at") and use["as"] in taken:
                use = None
            columns[name] = use or {"as": "trait", "key": name[:200]}
            taken.add(columns[name]["as"])
        traits: set[str] = set()
        for name, use in columns.items():
            if use["as"] == "trait":
                use = columns[name] = {**use, "key": use["key"] if use["key"] not in traits else name[:200]}
                traits.add(use["key"])
        return {"source": {"key": key}, "columns": _named(columns), "time_formats": ["iso"]}
    folded = {name.strip().casefold(): name for name in header}
    respelt = _respelt(preset.document, folded)
    found = restricted(respelt, header)
    prefix = found.pop("trait_prefix", "")
    told: set[str] = set()
    for name, uses in found["columns"].items():
        for use in uses:
            if use.get("as") == "trait":
                # What two columns of a file tell is told by the first; the other keeps its own name.
                use["key"] = use["key"] if use["key"] not in told else f"{prefix}{name}"[:200]
                told.add(use["key"])
    for name in header:
        if name and name not in found["columns"] and f"{prefix}{name}" not in told:
            found["columns"][name] = [{"as": "trait", "key": f"{prefix}{name}"[:200]}]
    return found


def _orders(document: Mapping[str, Any], header: Sequence[str]) -> dict[str, Any]:
    """How to read a system's file of orders, with its columns as this file spells them. What is said of orders as a
    whole may stand under one of several names, or nowhere."""
    folded = {name.strip().casefold(): name for name in header}
    found = {
        **{key: value for key, value in document.items() if key != "order"},
        "columns": {what: folded.get(name.casefold(), name) for what, name in document["columns"].items()},
    }
    order = {}
    for what, names in document.get("order", {}).items():
        spelt = [
            folded[name.casefold()]
            for name in ([names] if isinstance(names, str) else names)
            if name.casefold() in folded
        ]
        if spelt:
            order[what] = spelt[0]
    if "subtotal" not in order:
        order = {what: name for what, name in order.items() if what not in MONEY_COLUMNS}
    found |= {"order": order} if order else {}
    # What the file has no column for is left out.
    traits = {
        key: folded[name.casefold()] for key, name in document.get("traits", {}).items() if name.casefold() in folded
    }
    consent = document.get("consent", {})
    column = folded.get(str(consent.get("column", "")).casefold())
    return {
        **{key: value for key, value in found.items() if key not in ("traits", "consent")},
        **({"traits": traits} if traits else {}),
        **({"consent": {**consent, "column": column}} if column else {}),
    }


def _respelt(document: Mapping[str, Any], folded: Mapping[str, str]) -> dict[str, Any]:
    """A preset's columns as the file spells them: some systems change their mind about capitals."""

    def spelt(value: Any) -> Any:
        return folded.get(value.casefold(), value) if isinstance(value, str) else value

    kept = dict(document)
    kept["columns"] = {
        spelt(name): [
            {key: spelt(value) if key == "at" else value for key, value in use.items()}
            for use in (uses if isinstance(uses, list) else [uses])
        ]
        for name, uses in document.get("columns", {}).items()
    }
    kept["touchpoints"] = [
        {
            key: spelt(value)
            if key in ("at", "amount", "currency", "order_ref", "id")
            else {spelt(column): texts for column, texts in value.items()}
            if key == "only"
            else {name: spelt(column) for name, column in value.items()}
            if key == "properties"
            else value
            for key, value in one.items()
        }
        for one in document.get("touchpoints", [])
    ]
    kept["consents"] = [
        {key: spelt(value) if key == "at" else value for key, value in one.items()}
        for one in document.get("consents", [])
    ]
    return kept


def _guessed(name: str) -> dict[str, Any] | None:
    folded = _WORDS.sub("", name.casefold())
    return next((dict(use) for pattern, use in _NAMES if re.fullmatch(pattern, folded)), None)


def _named(columns: dict[str, Any]) -> dict[str, Any]:
    return {name: [use] if name else [{"as": "leave"}] for name, use in columns.items()}


def _key(file_name: str) -> str:
    folded = _WORDS.sub("-", Path(file_name).stem.casefold()).strip("-")
    return (re.sub(r"[0-9-]+$", "", folded) or folded or "file")[:40].strip("-") or "file"

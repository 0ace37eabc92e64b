"""The forms of an import: the file, and what each of its columns means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib.questions import QuestionError
from customers.importing.mapping import TRAIT_TYPES, USES
from customers.importing.presets import presets

KEPT = "kept"
# What people choose; the two of consent stand for a document that says what yes and no mean.
CHOICES: tuple[tuple[str, Any], ...] = (
    *((use, label) for use, label in USES.items() if use not in ("consent",)),
    ("subscribed", gettext_lazy("Subscribed to marketing e-mail, yes or no")),
    ("unsubscribed", gettext_lazy("Unsubscribed from marketing e-mail, yes or no")),
)
_SUBSCRIBED = {"yes": "granted", "true": "granted", "1": "granted", "no": "", "false": "", "0": ""}
_UNSUBSCRIBED = {"yes": "withdrawn", "true": "withdrawn", "1": "withdrawn", "no": "", "false": "", "0": ""}
_SAYS = {"subscribed": _SUBSCRIBED, "unsubscribed": _UNSUBSCRIBED}
# What a name is needed for, and the member of the document that it is.
NAMED = {"id": "kind", "trait": "key", "touchpoint": "type", "account": "key"}
# What a preset reads of a column for the touchpoint of a row.
_READ = {
    "at": gettext_lazy("date of the touchpoint"),
    "amount": gettext_lazy("amount"),
    "currency": gettext_lazy("currency"),
    "order_ref": gettext_lazy("order number"),
    "id": gettext_lazy("id of the touchpoint"),
}
ENCODINGS = (
    ("utf-8", gettext_lazy("UTF-8 (most files)")),
    ("cp1252", gettext_lazy("Windows, Western European (cp1252)")),
    ("latin-1", gettext_lazy("ISO 8859-1 (latin-1)")),
    ("utf-16", gettext_lazy("UTF-16 (Unicode text of Excel)")),
)
DELIMITERS = ((",", gettext_lazy("comma")), (";", gettext_lazy("semicolon")), ("\t", gettext_lazy("tab")), ("|", "|"))
COMMON_FORMATS = ("iso", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "unix")


class FileForm(forms.Form):
    """A file to bring in."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("This file is empty."),
        },
    )
    preset = forms.ChoiceField(label=gettext_lazy("Where it comes from"), required=False)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field: Any = self.fields["preset"]
        field.choices = [("", _("Detect it by its columns")), *((one.key, one.name) for one in presets())]


class WrittenForm(forms.Form):
    """How a file is written."""

    encoding = forms.ChoiceField(label=gettext_lazy("Character encoding"), choices=ENCODINGS)
    delimiter = forms.ChoiceField(label=gettext_lazy("Column separator"), choices=DELIMITERS)
    decimal_mark = forms.ChoiceField(label=gettext_lazy("Number format"), choices=[(".", "1234.50"), (",", "1234,50")])
    time_formats = forms.CharField(
        label=gettext_lazy("Date format"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "list": "time-formats"}),
        help_text=gettext_lazy(
            "iso stands for 2025-03-04; several formats are separated by semicolons, such as iso; %d.%m.%Y. What could "
            "be two days is never guessed: 3/4 is one day here and another there."
        ),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"), widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"})
    )

    def clean_time_zone(self) -> str:
        """A zone that is known."""
        told = str(self.cleaned_data["time_zone"]).strip()
        if told not in available_timezones():
            raise forms.ValidationError(_("This is no time zone; write it like Europe/Berlin."))
        return told

    def said(self) -> dict[str, Any]:
        """As a mapping says it; only after `is_valid`."""
        told = dict(self.cleaned_data)
        told["time_formats"] = [one.strip() for one in str(told["time_formats"]).split(";") if one.strip()]
        return told


def written_as(document: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping's own words for the form."""
    return {
        "encoding": document.get("encoding", "utf-8"),
        "delimiter": document.get("delimiter", ","),
        "decimal_mark": document.get("decimal_mark", "."),
        "time_formats": "; ".join(document.get("time_formats") or ["iso"]),
        "time_zone": document.get("time_zone", "UTC"),
    }


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column as the form shows it. number: its place; examples: some of its cells; use, name, type: what is chosen;
    choices: what may be; kept: what the mapping says that no choice can say."""

    number: int
    column: str
    examples: tuple[str, ...]
    use: str
    name: str
    type: str
    choices: tuple[tuple[str, Any], ...]


def column_rows(
    *, header: Sequence[str], rows: Sequence[Sequence[str]], document: Mapping[str, Any]
) -> list[ColumnRow]:
    """One row for each column of the file, in its order."""
    found = []
    used = _used_by_preset(document)
    for number, column in enumerate(header):
        uses = _uses(document, column)
        cells = [cells[number] for cells in rows if number < len(cells) and cells[number].strip()]
        use, name, type_name = _chosen(uses)
        choices = CHOICES if use != KEPT else ((KEPT, _as_said(uses)), *CHOICES)
        if told := used.get(column):
            said = _("Used by the preset: %(what)s") % {"what": ", ".join(told)}
            choices = tuple((key, said if key == "leave" else label) for key, label in choices)
        examples = tuple(dict.fromkeys(cell[:40] for cell in cells))[:2]
        found.append(ColumnRow(number, column, examples, use, name, type_name, choices))
    return found


def columns_said(
    *, header: Sequence[str], told: Mapping[str, str], document: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """What the form says of the columns, as a mapping says it; QuestionError names the field at fault."""
    found: dict[str, list[dict[str, Any]]] = {}
    known = {use for use, _label in CHOICES} | {KEPT}
    for number, column in enumerate(header):
        use = told.get(f"use_{number}", "leave")
        name = told.get(f"name_{number}", "").strip()
        if use not in known:
            raise QuestionError(f"use_{number}", _("This is none of the choices."))
        if use == KEPT:
            found[column] = _uses(document, column)
        elif use in _SAYS:
            found[column] = [{"as": "consent", "channel": "email", "purpose": "marketing", "says": _SAYS[use]}]
        elif use in NAMED:
            default = {"id": "external", "account": "name"}.get(use, column)
            found[column] = [{"as": use, NAMED[use]: name or default}]
            if use == "trait":
                found[column][0]["type"] = told.get(f"type_{number}") or "text"
        else:
            found[column] = [{"as": use}]
    return found


def said_of_columns(error: QuestionError, header: Sequence[str]) -> str:
    """A fault of a mapping in the words of the form: the column instead of its place in the document."""
    said = error.message.removeprefix(f"mapping, {error.field}: ")
    place = error.field.removeprefix("columns.")
    known = [name for name in header if name and (place == name or place.startswith((f"{name}.", f"{name}[")))]
    if place == error.field or not known:
        return said
    return _("Column “%(name)s”: %(said)s") % {"name": max(known, key=len), "said": said}


def _uses(document: Mapping[str, Any], column: str) -> list[dict[str, Any]]:
    uses = document.get("columns", {}).get(column, {"as": "leave"})
    return list(uses) if isinstance(uses, list) else [uses]


def _used_by_preset(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a mapping reads of its columns for touchpoints, whatever else they are: names of it by column."""
    found: dict[str, dict[str, None]] = {}
    for one in document.get("touchpoints", []):
        told = [(one.get(key), str(label)) for key, label in _READ.items()]
        told += [(column, _("which rows count")) for column in one.get("only", {})]
        told += [(column, _("detail")) for column in one.get("properties", {}).values()]
        for column, label in told:
            if column:
                found.setdefault(column, {})[label] = None
    return {column: list(labels) for column, labels in found.items()}


def _chosen(uses: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    """The choice that says what a mapping says of a column, its name and its type; KEPT where none does."""
    if not uses:
        return "leave", "", "text"
    if len(uses) > 1:
        return KEPT, "", "text"
    use = dict(uses[0])
    kind = str(use.pop("as"))
    if kind == "consent":
        says = use.pop("says", None)
        plain = use == {"channel": "email", "purpose": "marketing"}
        return next((name for name, said in _SAYS.items() if plain and said == says), KEPT), "", "text"
    name = str(use.pop(NAMED[kind], "")) if kind in NAMED else ""
    type_name = str(use.pop("type", "text")) if kind == "trait" else "text"
    return (KEPT if use else kind), name, type_name


def _as_said(uses: Sequence[Mapping[str, Any]]) -> str:
    """In a few words what no choice can say."""
    words = []
    for use in uses:
        label = str(USES.get(str(use.get("as")), use.get("as")))
        more = ", ".join(str(use[key]) for key in ("key", "kind", "type", "channel", "purpose") if use.get(key))
        words.append(f"{label} ({more})" if more else label)
    return "; ".join(words)


TYPES = tuple(TRAIT_TYPES.items())

"""The catalogue: every name that sources ever sent, what it is taken to mean, and what rests on it."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib import sql
from clm.lib.cursors import cursor, parse_cursor
from clm.lib.questions import NotThereError, QuestionError
from customers.models import Role, Source, Touchpoint
from customers.standard_types import STANDARD_TYPES
from lifecycle.models import Revision
from lifecycle.uses import TypeUse, uses_of_type

from .customer_figures import names_of
from .models import Seen

PAGE, MOST_PAGE, MOST_TEXT = 50, 200, 200
# How a name came by its role.
MAPPED = {
    "waiting": gettext_lazy("Waiting"),
    "hand": gettext_lazy("Mapped by hand"),
    "standard": gettext_lazy("Standard"),
}
SORTS = {
    "recent": gettext_lazy("Seen last"),
    "count": gettext_lazy("Most often"),
    "name": gettext_lazy("Name"),
}
# Of so many touchpoints the properties are looked at, and so many are shown.
LOOKED_AT, SHOWN, VALUES, LONGEST_VALUE = 200, 10, 3, 80
_ARRIVED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TypeRow:
    """A name. mapped: a key of `MAPPED`; reads: by what is read from a place of its own, that place; the figures are as
    of the last fill, over all sources or the one asked about."""

    id: int
    name: str
    role: str
    reads: Mapping[str, str]
    mapped_at: datetime | None
    mapped: str
    touchpoints: int
    sources: int
    first_at: datetime | None
    last_at: datetime | None

    @property
    def role_name(self) -> str:
        return str(Role(self.role).label)

    @property
    def mapped_name(self) -> str:
        return str(MAPPED[self.mapped])


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list of names is asked for; "" and None for all."""

    search: str = ""
    role: str = ""
    mapped: str = ""
    source: str = ""
    unseen: bool = False
    sort: str = "recent"


@dataclass(frozen=True, slots=True)
class TypePage:
    """A page of names, and where the ones before and after it begin."""

    rows: tuple[TypeRow, ...]
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class SentBy:
    """What one source sent of a name."""

    key: str
    name: str
    touchpoints: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class PropertySample:
    """A property as some touchpoints have it. share: in how many of those looked at, 0 to 1; values: a few."""

    key: str
    kinds: tuple[str, ...]
    share: float
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LastTouchpoint:
    """One of the touchpoints that arrived last."""

    id: int
    customer: int
    known_as: str
    at: datetime
    source: str
    amount: int | None
    original: str


@dataclass(frozen=True, slots=True)
class MappedBefore:
    """A change that mapped the name. is_live: it was published."""

    change: int
    role: str
    role_before: str
    author: str
    at: datetime
    is_live: bool

    @property
    def role_name(self) -> str:
        return str(Role(self.role).label)

    @property
    def role_name_before(self) -> str:
        return str(Role(self.role_before).label)


@dataclass(frozen=True, slots=True)
class TypeDetail:
    """Everything about one name. looked_at: of how many touchpoints the samples are."""

    row: TypeRow
    sources: tuple[SentBy, ...]
    samples: tuple[PropertySample, ...]
    looked_at: int
    last: tuple[LastTouchpoint, ...]
    uses: tuple[TypeUse, ...]
    changes: tuple[MappedBefore, ...]

    @property
    def drafted(self) -> tuple[MappedBefore, ...]:
        """The changes that are not live, so that the name means nothing else yet."""
        return tuple(one for one in self.changes if not one.is_live)

    @property
    def published(self) -> tuple[MappedBefore, ...]:
        """The changes that are or were live: each says what the name meant before it."""
        return tuple(one for one in self.changes if one.is_live)


def type_page(*, asked: Asked, cursor_text: str | None = None, page_size: int = PAGE) -> TypePage:
    """A page of the catalogue. QuestionError for what cannot be asked for."""
    parameters = _parameters(asked)
    size = min(max(page_size, 1), MOST_PAGE)
    backwards, border = False, None
    if cursor_text is not None:
        kind, (border,) = parse_cursor(cursor_text, kinds="np", count=1)
        backwards = kind == "p"
        if not 0 <= border < 2**31:
            border = 0
    found = _rows(**parameters, type=None, border=border, back=backwards, size=size + 1)
    more, rows = len(found) > size, found[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, border is not None)
    return TypePage(
        tuple(rows),
        cursor("n", rows[-1].id) if rows and has_next else None,
        cursor("p", rows[0].id) if rows and has_previous else None,
    )


def waiting() -> int:
    """How many names wait for somebody to say what they mean."""
    ((names,),) = sql.rows("analytics/catalogue_waiting", standard=list(STANDARD_TYPES))
    return int(names)


def type_row(*, number: int) -> TypeRow:
    """One name. NotThereError when there is none."""
    rows = []
    if 0 < number < 2**31:
        everything = _parameters(Asked(unseen=True))
        rows = _rows(**everything, type=number, border=None, back=False, size=1)
    if not rows:
        raise NotThereError(f"there is no type {number}")
    return rows[0]


def type_detail(*, number: int) -> TypeDetail:
    """One name with everything about it. NotThereError when there is none."""
    row = type_row(number=number)
    seen = list(Seen.objects.filter(type=number))
    touchpoints = _last(number, max((one.received_at for one in seen), default=None))
    sources = {one.pk: one for one in Source.objects.filter(pk__in=[one.source_id for one in seen])}
    sent = [
        SentBy(sources[one.source_id].key, sources[one.source_id].name, one.touchpoints, one.first_at, one.last_at)
        for one in sorted(seen, key=lambda one: -one.touchpoints)
        if one.source_id in sources
    ]
    shown = touchpoints[:SHOWN]
    names = names_of([one.profile.customer for one in shown])
    return TypeDetail(
        row=row,
        sources=tuple(sent),
        samples=samples_of([one.properties for one in touchpoints]),
        looked_at=len(touchpoints),
        last=tuple(
            LastTouchpoint(
                id=one.pk,
                customer=one.profile.customer_id,
                known_as=names[one.profile.customer_id],
                at=one.occurred_at,
                source=one.source.name,
                amount=one.amount,
                original="" if one.original_amount is None else f"{one.original_amount.normalize():f} {one.currency}",
            )
            for one in shown
        ),
        uses=uses_of_type(name=row.name, role=row.role),
        changes=_changes(row.name),
    )


def samples_of(told: Sequence[Any]) -> tuple[PropertySample, ...]:
    """The properties that some touchpoints have, the most frequent first, with a few of their values."""
    documents = [one for one in told if isinstance(one, dict)]
    counts: Counter[str] = Counter()
    kinds: dict[str, list[str]] = defaultdict(list)
    values: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        for key, value in document.items():
            counts[key] += 1
            kind, text = _kind(value), _text(value)
            if kind not in kinds[key]:
                kinds[key].append(kind)
            if text and text not in values[key] and len(values[key]) < VALUES:
                values[key].append(text)
    return tuple(
        PropertySample(key, tuple(kinds[key]), count / len(documents), tuple(values[key]))
        for key, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:100]
    )


def _parameters(asked: Asked) -> dict[str, Any]:
    for value, known, field in ((asked.role, Role.values, "role"), (asked.mapped, MAPPED, "mapped")):
        if value and value not in known:
            raise QuestionError(field, _("It is one of %(names)s.") % {"names": ", ".join(known)})
    if asked.sort not in SORTS:
        raise QuestionError("sort", _("It is one of %(names)s.") % {"names": ", ".join(SORTS)})
    if "\0" in asked.search:
        raise QuestionError("search", _("The search holds a character that no name has. Type it anew."))
    source = 0
    if asked.source:
        found = Source.objects.filter(key=asked.source[:60]).values_list("pk", flat=True).first()
        if found is None:
            raise QuestionError("source", _("There is no source of this key."))
        source = found
    return {
        "standard": list(STANDARD_TYPES),
        "search": asked.search.strip().lower()[:MOST_TEXT],
        "role": asked.role,
        "mapped": asked.mapped,
        "source": source,
        "unseen": asked.unseen,
        "sort": asked.sort,
    }


def _rows(**parameters: Any) -> list[TypeRow]:
    found = sql.rows("analytics/catalogue", **parameters)
    return [
        TypeRow(
            id=number,
            name=name,
            role=role,
            reads=json.loads(reads),
            mapped_at=mapped_at,
            mapped=mapped,
            touchpoints=touchpoints,
            sources=sources,
            first_at=first_at,
            last_at=last_at,
        )
        for number, name, role, reads, mapped_at, mapped, touchpoints, sources, first_at, last_at in found
    ]


def _last(number: int, received_at: datetime | None) -> list[Touchpoint]:
    """Some of the touchpoints that arrived last, the latest first: no index knows a type, but the minute in which it
    arrived last is known."""
    if received_at is None:
        return []
    ids = sql.rows(
        "analytics/type_touchpoints", type=number, since=received_at - _ARRIVED, until=received_at, most=LOOKED_AT
    )
    rows = Touchpoint.objects.filter(pk__in=[one for (one,) in ids]).select_related("source", "profile__customer")
    return list(rows.order_by("-occurred_at", "-pk"))


def _changes(name: str) -> tuple[MappedBefore, ...]:
    found = Revision.objects.filter(mapping__has_key=name).select_related("author").order_by("-pk")[:20]
    return tuple(
        MappedBefore(
            change=one.pk,
            role=one.mapping[name]["role"],
            role_before=one.mapping[name]["was"]["role"],
            author=str(one.author) if one.author else "",
            at=one.published_at or one.created_at,
            is_live=one.published_at is not None,
        )
        for one in found
    )


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text[:LONGEST_VALUE] + ("…" if len(text) > LONGEST_VALUE else "")

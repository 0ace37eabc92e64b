"""Everything that ever happened with a customer, latest first, over all profiles and channels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from clm.lib.cursors import cursor, parse_cursor
from clm.lib.milliseconds import from_ms, to_ms
from clm.lib.periods import local_day
from clm.lib.questions import QuestionError
from customers.models import OrderLine, Role, Touchpoint

from .trait_changes import TraitChange, trait_changes, worth_telling

PAGE = 50
MOST = 200


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One line of an order; amount in minor units."""

    product: str
    name: str
    quantity: Decimal
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One touchpoint. amount: minor units of the reporting currency, None when there was none; original: the amount as
    it was sent, with its currency; text, author: what a person wrote and who it was; flags: how its time or amount was
    mended on arrival; unrated: the currency for which no rate was known, "" for none that there is, None where nothing
    waits for a rate."""

    id: int
    at: datetime
    received_at: datetime
    type: str
    role: str
    channel: str
    source: str
    title: str
    text: str
    amount: int | None
    original: str
    order_ref: str
    lines: tuple[EntryLine, ...]
    properties: tuple[tuple[str, str], ...]
    author: str
    flags: tuple[str, ...]
    unrated: str | None = None

    @property
    def told(self) -> dict[str, str]:
        """The properties by key."""
        return dict(self.properties)

    @property
    def ticket_ref(self) -> str:
        """The ticket that it is an event of, "" for none."""
        told = self.told
        return (told.get("ticket_ref") or told.get("ticket_id") or "") if self.role == Role.SUPPORT else ""


@dataclass(frozen=True, slots=True)
class TimelineDay:
    """The entries of one day of the business time zone, and the changes of what is known of the customer."""

    day: date
    entries: tuple[Entry | TraitChange, ...]


@dataclass(frozen=True, slots=True)
class KindFilter:
    """A role that a customer's timeline can be narrowed to."""

    key: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """One page of a timeline: its entries, the same by local day, and the cursor of the next page (None at the end).
    kinds: what it can be narrowed to, empty unless asked for; chosen: whether it is narrowed."""

    entries: tuple[Entry, ...]
    days: tuple[TimelineDay, ...]
    older: str | None
    kinds: tuple[KindFilter, ...]
    chosen: bool


def timeline(
    *,
    profiles: Sequence[int],
    before: str | None = None,
    roles: Sequence[str] = (),
    types: Sequence[str] = (),
    page_size: int = PAGE,
    zone: str = "UTC",
    with_kinds: bool = False,
    with_changes: bool = False,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> Timeline:
    """A page of the touchpoints of `profiles`, those before the cursor `before`; `roles` and `types` (names) narrow
    it, as do `as_of` (what had happened) and `known_at` (what had arrived). with_changes: the days also hold what
    changed of a name or an address, unless the page is narrowed to some kinds. Two queries, whatever is on the page,
    and one more each `with_kinds` and `with_changes`."""
    unknown = [role for role in roles if role not in Role.values]
    if unknown:
        said = _("There is no kind of touchpoint “%(role)s”. The kinds are %(roles)s.")
        raise QuestionError("role", said % {"role": unknown[0][:40], "roles": ", ".join(Role.values)})
    everything: QuerySet[Touchpoint] = Touchpoint.objects.filter(profile__in=list(profiles))
    found = everything = happened(everything, as_of=as_of, known_at=known_at)
    if roles:
        found = found.filter(type__role__in=roles)
    if types:
        found = found.filter(type__name__in=types)
    instant = None
    if before is not None:
        _kind, (at, number) = parse_cursor(before, kinds="t", count=2)
        try:
            instant = from_ms(at)
        except OverflowError:
            raise QuestionError("cursor", _("This page cannot be found. Begin at the first page.")) from None
        found = found.filter(Q(occurred_at__lt=instant) | Q(occurred_at=instant, pk__lt=number))
    size = min(max(page_size, 1), MOST)
    rows = list(found.select_related("type", "channel", "source").order_by("-occurred_at", "-pk")[: size + 1])
    page = rows[:size]
    older = cursor("t", to_ms(page[-1].occurred_at), page[-1].pk) if len(rows) > size else None
    entries = entries_of(page)
    shown: Sequence[Entry | TraitChange] = entries
    if with_changes and not roles and not types:
        known = trait_changes(profiles=profiles, as_of=as_of, known_at=known_at)
        shown = _with_changes(entries, known, since=entries[-1].at if older else None, until=instant)
    by_day = groupby(shown, key=lambda entry: local_day(entry.at, zone))
    return Timeline(
        entries=entries,
        days=tuple(TimelineDay(day, tuple(those)) for day, those in by_day),
        older=older,
        kinds=kind_filters(touchpoints=everything, chosen=roles) if with_kinds else (),
        chosen=bool(roles or types),
    )


def entries_of(touchpoints: Sequence[Touchpoint]) -> tuple[Entry, ...]:
    """Touchpoints as entries, in their order; read with their type, channel and source. One query."""
    lines: dict[int, list[EntryLine]] = {touchpoint.pk: [] for touchpoint in touchpoints}
    for line in OrderLine.objects.filter(touchpoint__in=list(lines)).order_by("touchpoint_id", "number"):
        name = line.description or line.product
        lines[line.touchpoint_id].append(EntryLine(line.product, name, line.quantity, line.amount))
    return tuple(_entry(touchpoint, lines[touchpoint.pk]) for touchpoint in touchpoints)


def _with_changes(
    entries: Sequence[Entry], known: Sequence[TraitChange], *, since: datetime | None, until: datetime | None
) -> Sequence[Entry | TraitChange]:
    """The entries of a page and the changes of its span, latest first."""
    touched = {entry.at for entry in entries}
    changes = worth_telling(known, touched=touched, since=since, until=until)
    return sorted([*entries, *changes], key=lambda one: one.at, reverse=True) if changes else entries


def happened(
    touchpoints: QuerySet[Touchpoint], *, as_of: datetime | None, known_at: datetime | None
) -> QuerySet[Touchpoint]:
    """Those that had happened by `as_of` and had arrived by `known_at`; None: whatever there is."""
    if as_of is not None:
        touchpoints = touchpoints.filter(occurred_at__lte=as_of)
    if known_at is not None:
        touchpoints = touchpoints.filter(received_at__lte=known_at)
    return touchpoints


def kind_filters(*, touchpoints: QuerySet[Touchpoint], chosen: Sequence[str] = ()) -> tuple[KindFilter, ...]:
    """The roles that occur among the touchpoints, most frequent first."""
    found = touchpoints.values_list("type__role").annotate(number=Count("*")).order_by("-number", "type__role")
    return tuple(KindFilter(role, str(Role(role).label), number, role in chosen) for role, number in found)


def _entry(touchpoint: Touchpoint, lines: list[EntryLine]) -> Entry:
    told: dict[str, Any] = touchpoint.properties if isinstance(touchpoint.properties, dict) else {}
    original = ""
    if touchpoint.original_amount is not None:
        original = f"{touchpoint.original_amount.normalize():f} {touchpoint.currency}".strip()
    return Entry(
        id=touchpoint.pk,
        at=touchpoint.occurred_at,
        received_at=touchpoint.received_at,
        type=touchpoint.type.name,
        role=touchpoint.type.role,
        channel=touchpoint.channel.key,
        source=touchpoint.source.name,
        title=_title(touchpoint.type.name, told, lines),
        text=_said(told.get("text")),
        amount=touchpoint.amount,
        original=original,
        order_ref=touchpoint.order_ref,
        lines=tuple(lines),
        properties=tuple((key, _said(value)) for key, value in told.items() if key not in ("text", "author")),
        author=_said(told.get("author")),
        flags=tuple(str(flag.label) for flag in Touchpoint.Flag if touchpoint.flags & flag),
        unrated=touchpoint.currency if touchpoint.amount is None and original else None,
    )


def _title(type_name: str, told: dict[str, Any], lines: list[EntryLine]) -> str:
    """The type, and what it was about if that is said in few words."""
    about = next((told[key] for key in ("name", "title", "subject", "product") if isinstance(told.get(key), str)), "")
    if not about and lines:
        about = lines[0].name if len(lines) == 1 else f"{lines[0].name} (+{len(lines) - 1})"
    return f"{type_name}: {about[:120]}" if about else type_name


def _said(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)

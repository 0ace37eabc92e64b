"""Organisations that customers belong to: a list of them, and one with its people, their stages, what they are worth
and what they did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Left, Lower, NullIf
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib import sql
from clm.lib.cursors import cursor, parse_cursor, parse_text_cursor, text_cursor
from clm.lib.folding import folded
from clm.lib.milliseconds import from_ms, to_ms
from clm.lib.periods import local_day
from clm.lib.questions import NotThereError, QuestionError
from customers.models import Account, Customer, Profile, Touchpoint

from .customer_figures import initials, names_of
from .customer_stages import RowStage, stages_of
from .search import MOST_WORDS, occurring, refuse_unsearchable
from .sorting import Sorting, StageRef
from .timeline import Entry, timeline

PAGE, MOST_PAGE, MOST_TEXT = 50, 200, 200
LETTERS = 60
SORTS = {"newest": gettext_lazy("Newest"), "name": gettext_lazy("Name")}
# Of so many of its people, the latest to come, an account's page tells what they did.
TOLD_OF = 200
ENTRIES = 25


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An organisation. people: who belong to it now, ever: who belong or belonged; orders, revenue (minor units) and
    last_seen are of those who belong now, as of the last count; uncounted: how many of them were not counted yet."""

    id: int
    key: str
    name: str
    created_at: datetime
    people: int
    ever: int
    orders: int
    revenue: int
    last_seen: datetime | None
    uncounted: int = 0

    @property
    def is_counted(self) -> bool:
        """Whether anybody's figures are known; nobody's need none."""
        return self.uncounted < self.people or not self.people

    @property
    def known_as(self) -> str:
        return self.name or self.key

    @property
    def left(self) -> int:
        """How many belonged to it and do no more."""
        return self.ever - self.people


@dataclass(frozen=True, slots=True)
class FoundAccount:
    """An organisation that a search leads to. detail: its key, "" where that is what it is known as."""

    id: int
    known_as: str
    detail: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page of organisations and where the ones before and after it begin."""

    rows: tuple[AccountRow, ...]
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody who belongs to an organisation, or did. until: None for somebody who belongs to it without an end.
    is_counted: whether orders, revenue and last_seen are known yet."""

    id: int
    known_as: str
    initials: str
    since: datetime
    until: datetime | None
    is_now: bool
    stage: RowStage | None
    orders: int
    revenue: int
    last_seen: datetime | None
    is_counted: bool


@dataclass(frozen=True, slots=True)
class StageShare:
    """How many of an organisation's people stand in a stage; stage None: in none. share: 0 to 1."""

    stage: StageRef | None
    customers: int
    share: float


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """What one of its people did."""

    customer: int
    known_as: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class AccountDay:
    """What the people of an organisation did on one day, the latest first."""

    day: date
    entries: tuple[AccountEntry, ...]


@dataclass(frozen=True, slots=True)
class AccountTimeline:
    """A page of what its people did. of: of how many of them, is_all: whether these are all."""

    days: tuple[AccountDay, ...]
    older: str | None
    of: int
    is_all: bool


def account_page(
    *, search: str = "", sort: str = "newest", now: datetime, cursor_text: str | None = None, page_size: int = PAGE
) -> AccountPage:
    """A page of organisations. QuestionError for what cannot be asked for."""
    if sort not in SORTS:
        raise QuestionError("sort", _("It is one of %(names)s.") % {"names": ", ".join(SORTS)})
    size = min(max(page_size, 1), MOST_PAGE)
    label = Lower(Left(Coalesce(NullIf("name", Value("")), F("key")), LETTERS))
    found = called_so(Account.objects.annotate(label=label), search)
    backwards = False
    if cursor_text is not None and sort == "name":
        kind, (number,), text = parse_text_cursor(cursor_text, kinds="np", count=1)
        backwards = kind == "p"
        after = (
            Q(label__lt=text) | Q(label=text, pk__lt=number)
            if backwards
            else Q(label__gt=text) | Q(label=text, pk__gt=number)
        )
        found = found.filter(after)
    elif cursor_text is not None:
        kind, (number,) = parse_cursor(cursor_text, kinds="np", count=1)
        backwards = kind == "p"
        found = found.filter(pk__gt=number) if backwards else found.filter(pk__lt=number)
    falls = backwards == (sort == "name")  # names rise, the newest come first
    order = ["label", "pk"] if sort == "name" else ["pk"]
    accounts = list(found.order_by(*(f"-{key}" if falls else key for key in order))[: size + 1])
    more, accounts = len(accounts) > size, accounts[:size]
    if backwards:
        accounts.reverse()
    has_next, has_previous = (True, more) if backwards else (more, cursor_text is not None)

    def border(kind: str, one: Any) -> str:
        return text_cursor(kind, one.pk, text=one.label) if sort == "name" else cursor(kind, one.pk)

    return AccountPage(
        _rows(accounts, now),
        border("n", accounts[-1]) if accounts and has_next else None,
        border("p", accounts[0]) if accounts and has_previous else None,
    )


def called_so(found: QuerySet[Any], search: str) -> QuerySet[Any]:
    """Those of some organisations in whose name, key or addresses every word occurs. QuestionError for what no name can
    hold."""
    refuse_unsearchable(search)
    for word in search.split()[:MOST_WORDS]:
        found = found.filter(occurring(word[:MOST_TEXT]))
    return found


def found_accounts(*, text: str, most: int) -> list[FoundAccount]:
    """The first `most` organisations for a search as it is being typed: those whose name begins so first, then the
    newest."""
    if not text.strip():
        return []
    low = " ".join(text.lower().split())
    begins = ExpressionWrapper(
        Q(search_text__startswith=low) | Q(search_text__startswith=folded(low)), output_field=BooleanField()
    )
    found = called_so(Account.objects.all(), text).order_by(begins.desc(), "-pk").values_list("pk", "name", "key")
    return [FoundAccount(number, name or key, key if name else "") for number, name, key in found[:most]]


def account(*, number: int, now: datetime) -> tuple[AccountRow, Mapping[str, Any]]:
    """One organisation and what was told of it. NotThereError when there is none."""
    found = Account.objects.filter(pk=number).first()
    if found is None:
        raise NotThereError(f"there is no account {number}")
    (row,) = _rows([found], now)
    return row, found.properties if isinstance(found.properties, dict) else {}


def members(
    *, account: int, model: Sorting, now: datetime, cursor_text: str | None = None, page_size: int = PAGE
) -> tuple[tuple[MemberRow, ...], str | None]:
    """A page of its people, those who belong to it now first, and where the next one begins."""
    since, is_now, customer = None, True, 0
    if cursor_text is not None:
        _kind, (belongs, at, customer) = parse_cursor(cursor_text, kinds="n", count=3)
        is_now, since = bool(belongs), _instant(at)
    size = min(max(page_size, 1), MOST_PAGE)
    found = sql.rows(
        "analytics/account_people",
        account=account,
        now=now,
        since=since,
        is_now=is_now,
        customer=customer,
        most=size + 1,
    )
    rows = found[:size]
    people = {one.pk: one for one in Customer.objects.filter(pk__in=[row[0] for row in rows])}
    names = names_of(list(people.values()))
    stages = stages_of(customers=list(people), models=[model])
    told = tuple(
        MemberRow(
            id=number,
            known_as=names[number],
            initials=initials(people[number].name, people[number].email),
            since=since_at,
            until=until,
            is_now=belongs,
            stage=stages[number][0],
            orders=orders,
            revenue=revenue,
            last_seen=from_ms(seen) if seen else None,
            is_counted=is_counted,
        )
        for number, since_at, until, belongs, orders, revenue, seen, is_counted in rows
    )
    # A cursor holds milliseconds, instants of the database are finer only where they were entered by hand.
    following = None
    if len(found) > size:
        following = cursor("n", int(rows[-1][3]), to_ms(rows[-1][1]), rows[-1][0])
    return told, following


def stages_of_account(*, account: int, model: Sorting, now: datetime) -> tuple[StageShare, ...]:
    """In which stages of a model its people stand now, in the order of the model's stages."""
    counts = dict(sql.rows("analytics/account_stages", account=account, subject=model.id, now=now))
    everybody = sum(counts.values())
    if not everybody:
        return ()
    order: list[tuple[int | None, StageRef | None]] = [*model.stages.items(), (None, None)]
    return tuple(
        StageShare(stage, counts[number], counts[number] / everybody) for number, stage in order if counts.get(number)
    )


def account_timeline(*, account: int, now: datetime, zone: str, before: str | None = None) -> AccountTimeline:
    """A page of what its people did, the latest first."""
    rows = sql.rows(
        "analytics/account_people", account=account, now=now, since=None, is_now=True, customer=0, most=TOLD_OF + 1
    )
    people = [row[0] for row in rows[:TOLD_OF] if row[3]]
    owners = dict(Profile.objects.filter(customer__in=people).values_list("pk", "customer_id"))
    found = timeline(profiles=list(owners), before=before, zone=zone, page_size=ENTRIES)
    by = dict(Touchpoint.objects.filter(pk__in=[one.id for one in found.entries]).values_list("pk", "profile_id"))
    names = names_of(list(Customer.objects.filter(pk__in={owners[profile] for profile in by.values()})))
    entries = [AccountEntry(owners[by[one.id]], names[owners[by[one.id]]], one) for one in found.entries]
    days = groupby(entries, key=lambda one: local_day(one.entry.at, zone))
    is_all = len(rows) <= TOLD_OF and all(row[3] for row in rows)
    return AccountTimeline(
        tuple(AccountDay(day, tuple(those)) for day, those in days), found.older, len(people), is_all
    )


def _rows(accounts: Sequence[Account], now: datetime) -> tuple[AccountRow, ...]:
    figures = {
        row[0]: row[1:] for row in sql.rows("analytics/account_figures", accounts=[one.pk for one in accounts], now=now)
    }
    rows = []
    for one in accounts:
        people, ever, orders, revenue, seen, uncounted = figures.get(one.pk, (0, 0, 0, 0, 0, 0))
        last = from_ms(seen) if seen else None
        told = (people, ever, orders, revenue, last, uncounted)
        rows.append(AccountRow(one.pk, one.key, one.name, one.created_at, *told))
    return tuple(rows)


def _instant(ms: int) -> datetime:
    try:
        return from_ms(ms)
    except (OverflowError, ValueError):
        raise QuestionError("cursor", _("This page cannot be found. Begin at the first page.")) from None

"""Two customers side by side: what each is known by and has done, so that a person can tell whether they are one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from customers.models import Customer, Merge

from . import customer_record as record
from .customer_figures import names_of
from .customer_record import CustomerHead, IdentityRow
from .customer_stages import stages_of
from .row_pages import row_page
from .search import FoundCustomer, found_customers
from .sorting import Sorting, StageRef

MOST_VALUES = 12
MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One fact of both. left and right: the values, none where nothing is known; more: how many further ones each
    has."""

    label: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    more: tuple[int, int] = (0, 0)

    @property
    def shared(self) -> bool:
        """Whether they have a value in common."""
        return bool({one.casefold() for one in self.left} & {one.casefold() for one in self.right})

    @property
    def differs(self) -> bool:
        """Whether each says something, and they say nothing in common."""
        return bool(self.left and self.right) and not self.shared


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. stages: where it stands in each model, None for nowhere yet; segments: the names of its own."""

    head: CustomerHead
    identities: tuple[IdentityRow, ...]
    traits: dict[str, str]
    consents: tuple[str, ...]
    stages: tuple[StageRef | None, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two customers; `left` is the one created first, which would survive a merge."""

    left: Side
    right: Side
    models: tuple[str, ...]
    facts: tuple[Row, ...]
    # What both would be called as one.
    called: str

    @property
    def stages(self) -> list[tuple[str, StageRef | None, StageRef | None]]:
        """The stage of both in each model."""
        return list(zip(self.models, self.left.stages, self.right.stages, strict=True))

    @property
    def touchpoints(self) -> int:
        """How many both have together."""
        return self.left.head.touchpoints + self.right.head.touchpoints


@dataclass(frozen=True, slots=True)
class MergedPair:
    """A merge as people read it."""

    id: int
    survivor: int
    survivor_name: str
    absorbed: int
    absorbed_name: str
    at: datetime
    author: str
    reason: str
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class MergePage:
    """A page of merges and where the ones before and after it begin."""

    rows: tuple[MergedPair, ...]
    next_cursor: str | None
    previous_cursor: str | None


def pair(*, customers: tuple[Customer, Customer], models: Sequence[Sorting]) -> Pair:
    """Both customers side by side; neither may have been merged into another."""
    first, second = sorted(customers, key=lambda one: (one.created_at, one.pk))
    placed = stages_of(customers=[first.pk, second.pk], models=models)
    left, right = (_side(one, tuple(row.stage for row in placed[one.pk])) for one in (first, second))
    called = called_by(profiles=[*record.profiles_of(customer=first.pk), *record.profiles_of(customer=second.pk)])
    return Pair(left, right, tuple(model.name for model in models), tuple(_facts(left, right)), called)


def called_by(*, profiles: Sequence[int]) -> str:
    """What somebody with exactly these profiles is called, whoever has them now; "" when nothing is known. By the rules
    of portraits.sql: of values that were told for the same instant the one recorded later counts."""
    traits = {one.key: one.value for one in record.traits(profiles=profiles)}
    said = {key: str(value) for key, value in traits.items() if type(value) in (str, int, float)}
    parts = [said[key][:100] for key in ("firstName", "lastName") if key in said]
    name = said.get("name", "")[:200] or " ".join(parts).strip()
    if name or said.get("email"):
        return name or said["email"][:320]
    known = record.identities(profiles=profiles)
    emails = sorted(one.value for one in known if one.kind == "email")
    phones = [said.get("phone", "")[:60] or min((one.value for one in known if one.kind == "phone"), default="")]
    return next((one for one in (*emails[:1], *phones, *(each.value for each in known)) if one), "")


def look_alikes(*, customer: Customer, text: str) -> list[FoundCustomer]:
    """Whom a search finds besides `customer`; without a text, who has the same name, address or number."""
    if text:
        return _others(customer.pk, [text], most=MOST_FOUND)
    known = [one for one in (customer.email, customer.phone, customer.name) if one]
    return _others(customer.pk, known, most=8)


def merge_page(*, customer: int | None = None, cursor: str | None = None) -> MergePage:
    """A page of merges, the latest first, undone ones too; of one customer those that it survived and that are still in
    force."""
    every = Merge.objects.select_related("survivor", "absorbed", "author")
    if customer is not None:
        every = every.filter(survivor=customer, undone_at=None)
    found = row_page(every, order=("-pk",), cursor=cursor)
    return MergePage(tuple(_told(found.rows)), found.next_cursor, found.previous_cursor)


def _told(rows: Sequence[Merge]) -> list[MergedPair]:
    names = names_of([one for row in rows for one in (row.survivor, row.absorbed)])
    return [
        MergedPair(
            id=row.pk,
            survivor=row.survivor_id,
            survivor_name=names[row.survivor_id],
            absorbed=row.absorbed_id,
            absorbed_name=names[row.absorbed_id],
            at=row.at,
            author=str(row.author) if row.author else "",
            reason=row.reason,
            undone_at=row.undone_at,
        )
        for row in rows
    ]


def _others(customer: int, texts: Iterable[str], *, most: int) -> list[FoundCustomer]:
    found: dict[int, FoundCustomer] = {}
    for text in texts:
        for one in found_customers(text=text, most=most + 1):
            found.setdefault(one.id, one)
    found.pop(customer, None)
    return list(found.values())[:most]


def _side(customer: Customer, stages: tuple[StageRef | None, ...]) -> Side:
    profiles = record.profiles_of(customer=customer.pk)
    member_of = record.memberships(customer=customer.pk)
    consents = [f"{one.channel} · {one.purpose}: {one.state}" for one in record.consents(profiles=profiles)]
    return Side(
        head=record.customer_head(customer=customer, profiles=profiles, memberships=member_of),
        identities=record.identities(profiles=profiles),
        traits={one.key: str(one.value) for one in record.traits(profiles=profiles)},
        consents=tuple(consents),
        stages=stages,
        segments=tuple(row.segment.name for row in member_of),
    )


def _facts(left: Side, right: Side) -> Iterable[Row]:
    """What is told of both, the same things beside each other: the name first, then what they are recognised by, then
    what else is known. A trait that an identity says as well is not said twice."""
    sides = (left, right)
    by_kind = [
        {kind: [one.value for one in side.identities if one.kind == kind] for kind in {o.kind for o in side.identities}}
        for side in sides
    ]
    traits = [
        {key: [value] for key, value in side.traits.items() if value not in known.get(key, ())}
        for side, known in zip(sides, by_kind, strict=True)
    ]
    if any("name" in told for told in traits):
        yield _row("name", *(told.pop("name", []) for told in traits))
    for told in (by_kind, traits):
        for label in sorted(told[0].keys() | told[1].keys()):
            yield _row(label, told[0].get(label, []), told[1].get(label, []))


def _row(label: str, left: Sequence[str], right: Sequence[str]) -> Row:
    more = max(len(left) - MOST_VALUES, 0), max(len(right) - MOST_VALUES, 0)
    return Row(label, tuple(left[:MOST_VALUES]), tuple(right[:MOST_VALUES]), more)

"""The review queue as people read it: pairs of customers who may be one, the likeliest first, and what was decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib.cursors import cursor, parse_cursor
from clm.lib.questions import NotThereError, QuestionError
from customers.duplicates import done_percent
from customers.models import Customer, DuplicateSearch, PossibleMerge
from customers.models.possible_merge import ALIKE

from .customer_figures import initials, names_of

PAGE = 50
# Nobody looks at more in a day; a longer queue is told as "more than".
MOST_COUNTED = 10_000
OPEN = "open"
STATES = {
    OPEN: gettext_lazy("To decide"),
    "refused": gettext_lazy("Are two"),
    "merged": gettext_lazy("Merged"),
}
# By what a pair is known; None: by all other kinds of identities.
WHYS: dict[str, tuple[Any, str | None]] = {
    "email": (gettext_lazy("Same e-mail"), "email"),
    "phone": (gettext_lazy("Same phone"), "phone"),
    "device": (gettext_lazy("Same device"), "anonymous_id"),
    "id": (gettext_lazy("Same id"), None),
    "alike": (gettext_lazy("Look alike"), ALIKE),
}
_KINDS = [kind for _label, kind in WHYS.values() if kind is not None]


@dataclass(frozen=True, slots=True)
class Person:
    """One of the two. initials, id and detail as lists of people show them."""

    id: int
    known_as: str
    initials: str
    detail: str


@dataclass(frozen=True, slots=True)
class PossiblePair:
    """A row of the queue. why: a sentence; score in percent; decision "" while it is open. merge: the one that made
    them one customer, as long as it stands; the left one is then who stayed, the right one who was merged into it."""

    id: int
    left: Person
    right: Person
    kind: str
    why: str
    score: int
    source: str
    found_at: datetime
    decision: str
    decided_at: datetime | None
    author: str
    merge: int | None
    was_undone: bool

    @property
    def is_open(self) -> bool:
        """Whether somebody is still to decide."""
        return not self.decision


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of the queue. waiting: how many pairs are open, all of them, counted up to MOST_COUNTED; is_more: there
    are more than that."""

    rows: tuple[PossiblePair, ...]
    next_cursor: str | None
    previous_cursor: str | None
    waiting: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class SearchState:
    """The last search for duplicates. percent of all there is to do; found: pairs new to the queue."""

    id: int
    is_running: bool
    percent: int
    customers: int
    compared: int
    found: int
    asked_at: datetime
    finished_at: datetime | None


def latest_search() -> SearchState | None:
    """The search asked for last; None before the first."""
    one = DuplicateSearch.objects.order_by("-pk").first()
    if one is None:
        return None
    counts = one.counts
    return SearchState(
        id=one.pk,
        is_running=one.is_running,
        percent=done_percent(one),
        customers=counts.get("customers", 0),
        compared=counts.get("compared", 0),
        found=counts.get("new", 0),
        asked_at=one.asked_at,
        finished_at=one.finished_at,
    )


def queue(*, asked: Mapping[str, str]) -> Queue:
    """The page that `state`, `why`, `source` and `cursor` ask for. QuestionError for what is none of theirs."""
    state = asked.get("state") or OPEN
    if state not in STATES:
        raise QuestionError("state", _("There is no such state; one is %(states)s.") % {"states": ", ".join(STATES)})
    found = narrowed(PossibleMerge.objects.all(), state=state, why=asked.get("why", ""), source=asked.get("source", ""))
    rows, following, previous = _page(found, state, asked.get("cursor") or "")
    waiting = len(PossibleMerge.objects.filter(decided_at=None).values_list("pk")[: MOST_COUNTED + 1])
    return Queue(rows, following, previous, min(waiting, MOST_COUNTED), waiting > MOST_COUNTED)


def narrowed(
    found: QuerySet[PossibleMerge], *, state: str = "", why: str = "", source: str = ""
) -> QuerySet[PossibleMerge]:
    """The pairs in a state, known by something, named by a source; "" for any."""
    if state:
        found = found.filter(decided_at=None) if state == OPEN else found.filter(decision=state)
    if why:
        if why not in WHYS:
            raise QuestionError("why", _("There is no such reason; one is %(whys)s.") % {"whys": ", ".join(WHYS)})
        kind = WHYS[why][1]
        found = found.filter(kind=kind) if kind is not None else found.exclude(kind__in=_KINDS)
    return found.filter(source__key=source) if source else found


def possible_pair(*, number: int) -> PossiblePair:
    """One row of the queue. NotThereError where there is none."""
    found = _with_people(PossibleMerge.objects.filter(pk=number)).first()
    if found is None:
        raise NotThereError(f"there is no possible merge {number}")
    return written([found])[0]


def next_open(*, after: PossiblePair, why: str = "", source: str = "") -> int | None:
    """The open pair that comes after one that has just been decided, or the first one there is."""
    found = narrowed(PossibleMerge.objects.all(), state=OPEN, why=why, source=source)
    order = ("-score", "-pk")
    below = found.filter(Q(score__lt=after.score) | Q(score=after.score, pk__lt=after.id))
    return (
        below.order_by(*order).values_list("pk", flat=True).first()
        or found.order_by(*order).values_list("pk", flat=True).first()
    )


def waiting_for(*, profiles: list[int], most: int = 5) -> list[PossiblePair]:
    """The open pairs of some profiles, the likeliest first."""
    found = PossibleMerge.objects.filter(Q(profile__in=profiles) | Q(other__in=profiles), decided_at=None)
    return written(_with_people(found).order_by("-score", "-pk")[:most])


def _page(
    found: QuerySet[PossibleMerge], state: str, at: str
) -> tuple[tuple[PossiblePair, ...], str | None, str | None]:
    """Likeliest first while they are open; what was decided: found last first."""
    by_score = state == OPEN
    backwards = False
    if at:
        kind, border = parse_cursor(at, kinds="np", count=2)
        backwards = kind == "p"
        found = found.filter(_beyond(by_score, backwards, *border))
    order = ["score", "pk"] if by_score else ["pk"]
    found = found.order_by(*(order if backwards else [f"-{one}" for one in order]))
    rows = list(_with_people(found)[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, bool(at))
    return (
        tuple(written(rows)),
        cursor("n", rows[-1].score, rows[-1].pk) if rows and has_next else None,
        cursor("p", rows[0].score, rows[0].pk) if rows and has_previous else None,
    )


def _beyond(by_score: bool, backwards: bool, score: int, number: int) -> Q:
    way = "gt" if backwards else "lt"
    beyond = Q(**{f"pk__{way}": number})
    return Q(**{f"score__{way}": score}) | Q(score=score) & beyond if by_score else beyond


def _with_people(found: QuerySet[PossibleMerge]) -> QuerySet[PossibleMerge]:
    people = ("profile__customer", "other__customer", "merge__survivor", "merge__absorbed")
    return found.select_related(*people, "source", "author")


def written(rows: Any) -> list[PossiblePair]:
    """Rows (with their people) as people read them; two queries at most."""
    rows = list(rows)
    sides = {row.pk: _sides(row) for row in rows}
    people = {one.pk: one for both in sides.values() for one in both}
    names = names_of(list(people.values()))

    def person(number: int) -> Person:
        one = people[number]
        detail = next((text for text in (one.email, one.phone) if text and text != names[number]), "")
        return Person(number, names[number], initials(one.name, one.email), detail)

    found = []
    for row in rows:
        first, second = sides[row.pk]
        found.append(
            PossiblePair(
                id=row.pk,
                left=person(first.pk),
                right=person(second.pk),
                kind=row.kind,
                why=reason_of(row),
                score=row.score,
                source=row.source.name if row.source else "",
                found_at=row.found_at,
                decision=row.decision,
                decided_at=row.decided_at,
                author=str(row.author) if row.author else "",
                merge=row.merge_id if _stands(row) else None,
                was_undone=row.merge_id is not None and not _stands(row),
            )
        )
    return found


def _stands(row: PossibleMerge) -> bool:
    return row.merge is not None and row.merge.undone_at is None


def _sides(row: PossibleMerge) -> tuple[Customer, Customer]:
    """The two of a pair, who was created first on the left. Both profiles of those who were made one belong to who
    stayed, so these two are told by their merge."""
    if row.merge is not None and row.merge.undone_at is None:
        return row.merge.survivor, row.merge.absorbed
    first, second = sorted((row.profile.customer, row.other.customer), key=lambda one: (one.created_at, one.pk))
    return first, second


def reason_of(row: PossibleMerge) -> str:
    """Why a pair is there, as a sentence."""
    if row.kind == ALIKE:
        alike = {
            "name": _("name %(percent)d %%"),
            "email": _("e-mail %(percent)d %%"),
            "phone": _("phone %(percent)d %%"),
        }
        parts = [alike[key] % {"percent": row.evidence[key]} for key in alike if key in row.evidence]
        return _("Alike: %(parts)s.") % {"parts": ", ".join(parts)}
    said = {
        "email": _("Both were told with the e-mail %(value)s."),
        "phone": _("Both were told with the phone %(value)s."),
        "anonymous_id": _("Both were met on the device %(value)s."),
        "user_id": _("A message called both one person: %(value)s."),
    }
    return said.get(row.kind, _("Both were told with the id %(value)s.")) % {"value": row.value}

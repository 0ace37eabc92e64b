"""Who is in a segment at an instant, as a list and as a file; and whom people put on its lists by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from clm.lib import sql
from customers.models import Customer
from lifecycle.models import ListMember

from .customer_figures import names_of
from .customer_list import Asked, CustomerPage, customers
from .days.kept import Kept
from .row_pages import row_page
from .sorting import Sorting, stage_model, version_known
from .stages import refuse_unknowable

PAGE = 50
_PORTION = 5_000


@dataclass(frozen=True, slots=True)
class HandRow:
    """A customer on a list: since when, and who put it there."""

    number: int
    customer: int
    known_as: str
    email: str
    added_at: datetime
    author: str


@dataclass(frozen=True, slots=True)
class HandPage:
    """A page of a list that people keep, last added first."""

    rows: tuple[HandRow, ...]
    next_cursor: str | None
    previous_cursor: str | None


def segment_members(
    *,
    segment: Sorting,
    now: datetime,
    kept: Kept | None = None,
    search: str = "",
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    cursor: str | None = None,
    page_size: int = PAGE,
) -> CustomerPage:
    """A page of the members at `as_of` (None: now) as known at `known_at` (None: today), with their stage in the model
    that pages show first, and how many there are."""
    asked = Asked(segment=segment, search=search, as_of=as_of, known_at=known_at, kept=kept)
    return customers(
        asked=asked,
        models=[stage_model()],
        now=now,
        cursor=cursor,
        page_size=page_size,
        with_next=False,
        counted=True,
    )


def member_lines(
    *, segment: Sorting, as_of: datetime | None = None, known_at: datetime | None = None
) -> Iterator[tuple[int, str, str, str, datetime]]:
    """Every member at `as_of` as known at `known_at`: id, name, e-mail, phone, and since when. In order of id, read a
    portion at a time."""
    at = as_of or known_at
    if at is not None:
        refuse_unknowable(as_of=at, known_at=known_at)
    version = version_known(sorting=segment, known_at=known_at)
    inside, after = segment.stage_id("in"), 0
    while True:
        if at is None:
            found = sql.rows("analytics/members_now", subject=segment.id, stage=inside, after=after, portion=_PORTION)
        else:
            found = sql.rows(
                "analytics/members_then",
                version=version,
                stage=inside,
                at=at,
                known_at=known_at,
                after=after,
                portion=_PORTION,
            )
        yield from found
        if len(found) < _PORTION:
            return
        after = found[-1][0]


def on_list(*, segment: Sorting, excluded: bool = False, cursor: str | None = None, page_size: int = PAGE) -> HandPage:
    """A page of whom a static list holds, or whom a segment includes, or `excluded`, whatever its rule says."""
    rows = ListMember.objects.filter(segment=segment.id, is_excluded=excluded, removed_at=None)
    rows = rows.select_related("profile", "author")
    page = row_page(rows, order=("-pk",), cursor=cursor, page_size=page_size)
    return HandPage(_hand_rows(page.rows), page.next_cursor, page.previous_cursor)


def _hand_rows(page: Sequence[ListMember]) -> tuple[HandRow, ...]:
    wanted = [one.profile.customer_id for one in page]
    people = {one.pk: one for one in Customer.objects.filter(pk__in=wanted)}
    names = names_of(list(people.values()))
    return tuple(
        HandRow(
            number=one.pk,
            customer=one.profile.customer_id,
            known_as=names[one.profile.customer_id],
            email=people[one.profile.customer_id].email,
            added_at=one.added_at,
            author=str(one.author) if one.author else "",
        )
        for one in page
    )

"""Reading packed histories: what periods and segments that are not kept per day are counted from.

A million customers have some millions of believed transitions, and PostgreSQL takes longer to hand them over row by row
than NumPy takes to count them. So `packing` strings the narrow columns of each range of customers together, now and
then; whoever asks reads these strings, or has them at hand (`held`), and for the customers whose history has changed
since reads the rows themselves. What is read is always what is believed now, exactly as if all rows had been read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from clm.lib import sql
from clm.lib.columns import Columns, fetch_columns, fetch_strung
from clm.lib.milliseconds import to_ms
from customers.locks import settled_until

from ..models import Counting
from .held import SHELF, Held, may_be_held
from .lives import Bought, Int64s, Lives
from .strands import Strand
from .told import COLUMNS, Told

FEW = 2_000  # customers whose rows are read themselves rather than everybody's strings
SOLD, BEGUN = 0, -1  # in the place of a version: what was bought, and when it all began
_STAGES = {"customer": "q", "at": "t", "stage": "i"}
_BEGUN = {"customer": "q", "touch": "t", "signup": "t"}
_SOLD = {"customer": "q", "at": "t", "amount": "q", "products": "q", "is_purchase": "h"}

INFINITY = 1 << 52  # milliseconds: whatever lies after it never happened


def basis_of_sold(*, purchases: Sequence[int], refunds: Sequence[int]) -> str:
    """What decides what is bought: the types mapped to it."""
    return f"; purchases {list(purchases)}; refunds {list(refunds)}"


def basis_of_begun(*, signups: Sequence[int]) -> str:
    """What decides when somebody signed up: the types mapped to it."""
    return f"; signups {list(signups)}"


@dataclass(slots=True)
class Packs:
    """What is packed, by version (SOLD: what was bought), and what one asking has read of it already."""

    marks: Mapping[int, Counting]
    _read: dict[Any, Any] = field(default_factory=dict)

    def has(self, version: int | None, segment: int | None) -> bool:
        """Whether a version is packed, and the segment that is asked about, if one is."""
        return version in self.marks and (segment is None or segment in self.marks)

    def has_sold(self, *, purchases: Sequence[int], refunds: Sequence[int], segment: int | None) -> bool:
        """Whether what was bought is packed, by these types."""
        mark = self.marks.get(SOLD)
        packed = mark is not None and mark.basis == basis_of_sold(purchases=purchases, refunds=refunds)
        return packed and (segment is None or segment in self.marks)

    def members(self, *, segment: int | None, segment_in: int | None, as_of: datetime | None) -> Int64s | None:
        """The ids of who is in a segment at an instant, in order; None for everybody."""
        if segment is None or segment_in is None or as_of is None:
            return None
        key = ("members", segment, as_of)
        if key not in self._read:
            self._read[key] = self.lives(segment, None).inside(segment_in, to_ms(as_of))
        found: Int64s = self._read[key]
        return found

    def lives(self, version: int, members: Int64s | None) -> Lives:
        """What is believed of everybody, or of some customers, under a version."""
        key = ("lives", version, None if members is None else id(members))
        if key not in self._read:
            found = self.stages(version, members)
            stage = found.columns["stage"].astype(np.int64)
            at = found.columns["at"].astype(np.int64, copy=False)
            self._read[key] = Lives.laid(found.customer, at, stage, found.starts)
        answer: Lives = self._read[key]
        return answer

    def bought(self, *, purchases: Sequence[int], refunds: Sequence[int], members: Int64s | None) -> Bought:
        """What everybody, or some customers, bought and gave back."""
        key = ("bought", None if members is None else id(members))
        if key not in self._read:
            found = self.sold(purchases=purchases, refunds=refunds, members=members)
            at, amount, products = (
                found.columns[name].astype(np.int64, copy=False) for name in ("at", "amount", "products")
            )
            self._read[key] = Bought(found.customer, at, amount, products, found.columns["is_purchase"] == 1)
        answer: Bought = self._read[key]
        return answer

    def sold(self, *, purchases: Sequence[int], refunds: Sequence[int], members: Int64s | None) -> Strand:
        """The rows of `bought`."""
        types = {"purchases": list(purchases), "refunds": list(refunds)}
        moves_seen = self.marks[SOLD].moves_seen
        return self._whole(
            SOLD,
            members,
            lambda since: sql.rows(
                "analytics/packs_sold_changed", types=[*purchases, *refunds], since=since, moves_seen=moves_seen
            ),
            lambda some: fetch_columns("analytics/packs_sold_of", _SOLD, customers=some, **types),
        )

    def told(self, *, types: Sequence[int], start: datetime, until: datetime) -> Told:
        """What was answered and asked in [start, until) by touchpoints of some types. It is packed nowhere: the rows
        are read, of all customers at once, and once by one asking."""
        key, first, last = ("told", *types), to_ms(start), to_ms(until)
        held: Told | None = self._read.get(key)
        if held is None or held.start > first or held.until < last:
            rows = fetch_columns("analytics/feedback_told", COLUMNS, types=list(types), start_at=start, until_at=until)
            held = self._read[key] = Told.of(first, last, rows)
        return held.between(first, last)

    def once(self, key: tuple[Any, ...], read: Callable[[], Any]) -> Any:
        """What several questions of one asking read beside the packs, read once; `key` says what it is."""
        if key not in self._read:
            self._read[key] = read()
        return self._read[key]

    def has_begun(self, *, signups: Sequence[int] | None) -> bool:
        """Whether it is packed when customers were touched first, or signed up by these types."""
        mark = self.marks.get(BEGUN)
        return mark is not None and (signups is None or mark.basis == basis_of_begun(signups=signups))

    def begun(self, *, signups: Sequence[int] | None, members: Int64s | None) -> tuple[Int64s, Int64s]:
        """Who was touched (signups None), or signed up, and when first."""
        moves_seen = self.marks[BEGUN].moves_seen
        # Only packs that were made by these types are read for sign-ups; for touches the types do not matter.
        found = self._whole(
            BEGUN,
            members,
            lambda since: sql.rows("analytics/packs_begun_changed", since=since, moves_seen=moves_seen),
            lambda some: fetch_columns("analytics/packs_begun_of", _BEGUN, customers=some, signups=list(signups or ())),
            is_whole=signups is not None,
        )
        at = found.columns["touch" if signups is None else "signup"]
        there = at < INFINITY
        return found.customer[there], at[there]

    def stages(self, version: int, members: Int64s | None) -> Strand:
        """The rows of `lives`."""
        return self._whole(
            version,
            members,
            lambda since: sql.rows("analytics/packs_stages_changed", version=version, since=since),
            lambda some: fetch_columns("analytics/packs_stages_of", _STAGES, version=version, customers=some),
        )

    def _whole(
        self,
        subject: int,
        members: Int64s | None,
        changed: Callable[[datetime], list[tuple[Any, ...]]],
        of: Callable[[list[int]], Columns],
        *,
        is_whole: bool = True,
    ) -> Strand:
        """What is packed of a subject (a version, SOLD or BEGUN), with the rows of whoever changed since as they are;
        read once by one asking. is_whole: `of` reads them with all that others ask about."""
        key = ("whole", subject)
        if key not in self._read:
            if members is not None and len(members) <= FEW:
                return Strand.of(of(members.tolist()))
            settled = settled_until() if is_whole and may_be_held() else None
            held = self._held(subject)
            anew, found = np.array([customer for (customer,) in changed(held.since)], np.int64), held.strand
            if len(anew):
                found = found.replaced(anew, Strand.of(of(anew.tolist())))
            if settled is not None and settled > held.since:
                SHELF.put(subject, self._made(subject), Held(found, settled))
            self._read[key] = found
        whole: Strand = self._read[key]
        return whole if members is None else whole.among(members)

    def _held(self, subject: int) -> Held:
        """What is packed of a subject, from what this process has read before if that is the same."""
        made = self._made(subject)
        held = SHELF.get(subject, made) if may_be_held() else None
        if held is None:
            held = Held(Strand.of(_packed(subject)), self.marks[subject].known_at)
            if may_be_held():
                SHELF.put(subject, made, held)
        return held

    def is_outdated(self, subject: int) -> bool:
        """Whether this process holds of a subject what was packed before it was packed last."""
        return SHELF.holds(subject) and SHELF.get(subject, self._made(subject)) is None

    def _made(self, subject: int) -> tuple[Any, ...]:
        mark = self.marks[subject]
        return mark.pk, mark.basis, mark.known_at, mark.done_at


def _packed(subject: int) -> Columns:
    if subject == SOLD:
        return fetch_strung("analytics/packs_sold", _SOLD)
    if subject == BEGUN:
        return fetch_strung("analytics/packs_begun", _BEGUN)
    return fetch_strung("analytics/packs_stages", _STAGES, version=subject)

"""People who turn out to be one. Somebody who was met without a name and now has one is joined to whoever has that
name; two who both have one are never joined by a machine, but shown to people as a possible merge."""

from collections.abc import Collection, Mapping, Sequence

from django.db import connection, transaction

from clm.lib import sql
from customers.ingest import clock
from customers.merge import MergeError, merge
from customers.models import Identity, Source
from customers.resolve import Apart
from customers.review import NAMELESS, Possible, asked_about, is_shared, propose

# Who sends does not wait longer for a merge; told to come back, it sends the same again, and the merge is tried again.
PATIENCE = "3s"
# What this process has left to people, because every message of a shared device says it again, and the two profiles of
# the row by which people are asked. That row may be of other profiles than these two, and merges and their undoing give
# profiles to others: it answers for these two for as long as it is about the same two customers. What a device of very
# many says has no row and answers for itself.
_MOST = 10_000
_left: dict[Apart, tuple[int, int]] = {}


def forget() -> None:
    """Drop what this process remembers."""
    _left.clear()


def previous_identities(ids: Collection[str]) -> dict[str, str]:
    """For those of some ids that an alias call replaces which are known as user ids: that kind."""
    known = Identity.objects.filter(kind="user_id", value__in=sorted(set(ids))).values_list("value", "kind")
    return dict(known)


def join_people(*, source: Source, apart: Sequence[Apart], note: int = 0) -> int:
    """Merge customers whom a message called one person, if one of them was nameless so far; of two who have names, keep
    a row for people to look at. How many were merged. note: of what an import brought, which keeps its merges."""
    merged = 0
    pairs = list(dict.fromkeys(apart))
    left = {pair: row for pair in pairs if (row := _left.get(pair)) is not None}
    before = _owners([*((pair.profile, pair.other) for pair in pairs), *left.values()])
    for pair in pairs:
        if pair in left and _are_asked_about(pair, left[pair], before):
            continue
        now = _owners([(pair.profile, pair.other)])  # one of the pairs before it may have been merged
        (one, one_named), (other, other_named) = now[pair.profile], now[pair.other]
        if one == other or not one or not other:
            continue
        if one_named and other_named:
            _leave(pair, one, other, source)
            continue
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
                done = merge(customers=(one, other), now=clock(), reason=f"{pair.kind} {pair.value}"[:300])
                if note:
                    sql.run("customers/import_brought_merged", note=note, merge=done.pk).close()
            merged += 1
        except MergeError:
            continue  # somebody else merged one of them a moment ago; the next message of theirs finds them one
    return merged


def _leave(pair: Apart, one: int, other: int, source: Source) -> None:
    """Have people asked whether these two customers are one, and remember by which row they are."""
    row: tuple[int, int] | None = pair.profile, pair.other
    if not propose(pairs=[Possible(pair.profile, pair.other, pair.kind, pair.value)], source=source.pk):
        row = asked_about(customers=(one, other)) or (row if is_shared(pair.kind, pair.value) else None)
    if row is not None:  # else one of them was merged a moment ago, and the next message finds how they stand
        if len(_left) >= _MOST:
            _left.clear()
        _left[pair] = row


def _are_asked_about(pair: Apart, row: tuple[int, int], owners: Mapping[int, tuple[int, bool]]) -> bool:
    """Whether both still have names and the row is about the customers that these two are of now."""
    (one, one_named), (other, other_named) = owners[pair.profile], owners[pair.other]
    return one_named and other_named and {owners[profile][0] for profile in row} == {one, other}


def _owners(pairs: Sequence[tuple[int, int]]) -> dict[int, tuple[int, bool]]:
    """By profile: its customer and whether that one has a name; (0, False) of a profile that is not there any more."""
    profiles = sorted({profile for pair in pairs for profile in pair})
    found = dict.fromkeys(profiles, (0, False))
    if profiles:
        for profile, customer, has_name in sql.rows("customers/owners", profiles=profiles, nameless=NAMELESS):
            found[profile] = (customer, bool(has_name))
    return found

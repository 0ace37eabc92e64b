"""People who turn out to be one. Somebody who was met without a name and now has one is joined to whoever has that
name; two who both have one are never joined by a machine, but shown to people as a possible merge."""

from collections.abc import Collection, Sequence

from django.db import connection, transaction

from clm.lib import sql
from customers.ingest import clock
from customers.merge import MergeError, merge
from customers.models import Identity, Source
from customers.resolve import Apart
from customers.review import NAMELESS, Possible, propose

# Who sends does not wait longer for a merge; told to come back, it sends the same again, and the merge is tried again.
PATIENCE = "3s"
# Pairs of profiles this process has looked at and left to people, with the customers they belonged to then: every
# message of a shared device names them again, and once one of them belongs to somebody else they are another question.
_MOST = 10_000
_left: set[tuple[int, int, int, int]] = set()


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
    before = _owners(pairs)
    for pair in pairs:
        (one, _named), (other, _other_named) = before[pair.profile], before[pair.other]
        if (pair.profile, pair.other, one, other) in _left:
            continue
        now = _owners([pair])  # one of the pairs before it may have been merged
        (one, one_named), (other, other_named) = now[pair.profile], now[pair.other]
        if one == other or not one or not other:
            continue
        if one_named and other_named:
            propose(pairs=[Possible(pair.profile, pair.other, pair.kind, pair.value)], source=source.pk)
            if len(_left) >= _MOST:
                _left.clear()
            _left.add((pair.profile, pair.other, one, other))
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


def _owners(pairs: Sequence[Apart]) -> dict[int, tuple[int, bool]]:
    """By profile: its customer and whether that one has a name; (0, False) of a profile that is not there any more."""
    profiles = sorted({profile for pair in pairs for profile in (pair.profile, pair.other)})
    found = dict.fromkeys(profiles, (0, False))
    if profiles:
        for profile, customer, has_name in sql.rows("customers/owners", profiles=profiles, nameless=NAMELESS):
            found[profile] = (customer, bool(has_name))
    return found

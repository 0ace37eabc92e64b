"""Finding people who are in here twice, for the review queue (`review`): nothing is merged here.

Comparing everybody with everybody is out of the question, and so is a trigram look-up for each of a million (tens of
milliseconds, all the more for common names). So:

1. Keys: each customer gets a few numbers that a duplicate would share: the letters and digits of an e-mail's local part
   (5 or more), the last 8 digits of a phone, the words of a name in alphabetical order (2 or more; those of a local
   part like anna.meier too), and the sound of that name: alone, with the digits and with the domain of an address.
2. Pairs: keys are walked in order. Customers who share one are compared, unless more than MOST_ALIKE do: what so many
   share says nothing of any two. pg_trgm says how alike names and local parts are.

Likelihood: 1 - (1 - 0.75 e)(1 - 0.7 p)(1 - 0.6 n), e and n being 0 up to a similarity of 0.6 and 0.5 and rising to 1
from there, p 1 for the same phone; e-mails of a name that sounds the same with the same 3 digits or more are alike by
0.95, one with other digits counts nothing, and names with less than 0.2 in common halve it. From LIKELY on a pair is
proposed: one name alone is not enough, one name and anything else is.

Both steps go in portions by keyset, each a transaction that ends with the mark how far it came."""

import hashlib
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby
from unicodedata import combining, normalize

from django.db import connection, transaction

from clm.lib import sql

from .ingest import clock
from .models import Customer, DuplicateKey, DuplicateSearch, Identity, Profile
from .models.possible_merge import ALIKE
from .review import Possible, propose

CUSTOMERS_AT_ONCE, KEYS_AT_ONCE = 5_000, 20_000
MOST_ALIKE = 20
LIKELY = 65  # percent
SHORTEST_LOCAL, PHONE_DIGITS = 5, 8
_EMAIL, _PHONE, _NAME, _SOUND, _NUMBERED = range(5)  # the lowest bits of a key
_KIND_BITS = 3
SHORTEST_DIGITS = 3
_SPAN = 1 << 62
_WORD = re.compile(r"[^\W\d_]+")
_SOUNDS = (
    (re.compile("ph"), "f"),
    (re.compile("th"), "t"),
    (re.compile("c?k|q"), "k"),
    (re.compile("sch|ch"), "s"),
    (re.compile("[vw]"), "v"),
    (re.compile("[zc]"), "s"),
    (re.compile("[dt]"), "t"),
    (re.compile("[gk]"), "k"),
    (re.compile("[bp]"), "p"),
    (re.compile("[hjy]"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Known:
    """What a customer is compared by. words: of the name; local: letters and digits of the e-mail's local part."""

    words: tuple[str, ...]
    local: str
    keys: frozenset[int]


# --- asking for it, and doing it ------------------------------------------------------------------------------
@transaction.atomic
def start_search(*, now: datetime, author: int | None = None) -> DuplicateSearch:
    """The search that is under way, or a new one over everybody there is now."""
    begun = DuplicateSearch.objects.filter(is_running=True).first()
    if begun is not None:
        return begun
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    DuplicateSearch.objects.bulk_create(
        [DuplicateSearch(asked_at=now, author_id=author, progress={"phase": "keys", "after": 0, "last": last})],
        ignore_conflicts=True,  # somebody else asked at the same time
    )
    return DuplicateSearch.objects.filter(is_running=True).latest("pk")


def work_on_duplicates(*, seconds: float | None = None, tell: Tell = lambda _line: None) -> int:
    """Work on the search that is under way, for so long (None: to its end); how many pairs came into the queue."""
    until = None if seconds is None else time.monotonic() + seconds
    found = 0
    while until is None or time.monotonic() < until:
        with transaction.atomic():
            search = (
                DuplicateSearch.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(is_running=True)
                .first()
            )
            if search is None:
                break
            before = search.counts.get("new", 0)
            _keys(search) if search.progress["phase"] == "keys" else _pairs(search)
            found += search.counts.get("new", 0) - before
        tell(f"{done_percent(search)} %, {search.counts.get('customers', 0):,} customers, {found:,} pairs found")
    return found


def done_percent(search: DuplicateSearch) -> int:
    """How far a search is."""
    if not search.is_running:
        return 100
    after = search.progress["after"]
    if search.progress["phase"] == "keys":
        return int(50 * after / max(1, search.progress["last"]))
    return 50 + int(50 * max(0, after) / _SPAN)


def _keys(search: DuplicateSearch) -> None:
    after, last = search.progress["after"], search.progress["last"]
    if after == 0:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE customers_duplicatekey")
    rows = _known(_customers(after, last))
    DuplicateKey.objects.bulk_create(
        [
            DuplicateKey(key=key, customer_id=customer)
            for customer, one in sorted(rows.items())
            for key in sorted(one.keys)
        ]
    )
    search.counts = {**search.counts, "customers": search.counts.get("customers", 0) + len(rows)}
    if len(rows) < CUSTOMERS_AT_ONCE:
        search.progress = {**search.progress, "phase": "pairs", "after": -1}
    else:
        search.progress = {**search.progress, "after": max(rows)}
    search.save(update_fields=["progress", "counts"])


def _pairs(search: DuplicateSearch) -> None:
    after = search.progress["after"]
    walked = list(
        DuplicateKey.objects.filter(key__gt=after)
        .order_by("key", "customer")
        .values_list("key", "customer")[:KEYS_AT_ONCE]
    )
    groups = {key: [customer for _key, customer in rows] for key, rows in groupby(walked, key=lambda row: row[0])}
    is_end = len(walked) < KEYS_AT_ONCE
    if not is_end and len(groups) > 1:
        groups.pop(walked[-1][0])  # it may go on behind the border
    shared: dict[tuple[int, int], set[int]] = defaultdict(set)
    for key, customers in groups.items():
        if 2 <= len(customers) <= MOST_ALIKE:
            for pair in combinations(customers, 2):
                shared[pair].add(key % (1 << _KIND_BITS))
    new = propose(pairs=_likely(shared)) if shared else 0
    counts = search.counts
    search.counts = {
        **counts,
        "compared": counts.get("compared", 0) + len(shared),
        "new": counts.get("new", 0) + new,
    }
    if is_end:
        search.is_running, search.finished_at = False, clock()
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE customers_duplicatekey")
    else:
        search.progress = {**search.progress, "after": max(groups)}
    search.save()


def _likely(shared: dict[tuple[int, int], set[int]]) -> list[Possible]:
    """Of pairs of customers and the kinds of keys they share, those likely to be one person."""
    everybody = sorted({customer for pair in shared for customer in pair})
    known = _known(Customer.objects.filter(pk__in=everybody, merged_into=None, erased_at=None))
    pairs = [pair for pair in shared if pair[0] in known and pair[1] in known]
    scored = sql.rows(
        "customers/duplicates_scored",
        customers=list(known),
        names=[" ".join(one.words) for one in known.values()],
        locals=[one.local for one in known.values()],
        ones=[one for one, _other in pairs],
        others=[other for _one, other in pairs],
        email_alike=[1.0 if _EMAIL in shared[pair] else 0.95 * (_NUMBERED in shared[pair]) for pair in pairs],
        same_phone=[_PHONE in shared[pair] for pair in pairs],
        likely=LIKELY,
    )
    profile = dict(
        Profile.objects.filter(customer__in=everybody)
        .order_by("customer", "pk")
        .distinct("customer")
        .values_list("customer", "pk")
    )
    return [
        Possible(
            profile[one],
            profile[other],
            ALIKE,
            score=score,
            evidence={key: value for key, value in (("name", name), ("email", email), ("phone", phone)) if value},
        )
        for one, other, score, name, email, phone in scored
        if one in profile and other in profile
    ]


# --- what a customer may have in common ------------------------------------------------------------------------
def _customers(after: int, last: int) -> Iterable[Customer]:
    return Customer.objects.filter(pk__gt=after, pk__lte=last, merged_into=None, erased_at=None).order_by("pk")[
        :CUSTOMERS_AT_ONCE
    ]


def _known(customers: Iterable[Customer]) -> dict[int, Known]:
    """What some customers are compared by; those of whom nothing but devices is known share no key."""
    rows = list(customers)
    also: dict[int, list[tuple[str, str]]] = defaultdict(list)
    told = Identity.objects.filter(profile__customer__in=[one.pk for one in rows], kind__in=("email", "phone"))
    for customer, kind, value in told.values_list("profile__customer", "kind", "value"):
        also[customer].append((kind, value))
    return {
        one.pk: known_of(
            name=one.name,
            emails=[one.email, *(value for kind, value in also[one.pk] if kind == "email")],
            phones=[one.phone, *(value for kind, value in also[one.pk] if kind == "phone")],
        )
        for one in rows
    }


def known_of(*, name: str, emails: Sequence[str], phones: Iterable[str]) -> Known:
    """What somebody of that name with these addresses and numbers is compared by; the first address is the one whose
    local part is compared."""
    locals_ = [folded(email.partition("@")[0].partition("+")[0]) for email in emails if email]
    domains = {email.rpartition("@")[2].lower() for email in emails if email}
    plain = [re.sub(r"[^a-z0-9]", "", one) for one in locals_]
    words = _words_of(folded(name))
    keys = {_key(_EMAIL, one) for one in plain if len(one) >= SHORTEST_LOCAL}
    for phone in phones:
        digits = re.sub(r"\D", "", phone)
        if len(digits) >= PHONE_DIGITS:
            keys.add(_key(_PHONE, digits[-PHONE_DIGITS:]))
    for each in (words, *map(_words_of, locals_)):
        if len(each) >= 2 and min(map(len, each)) >= 2:
            keys.add(_key(_NAME, " ".join(each)))
            sound = " ".join(sorted(sound_of(word) for word in each))
            keys.add(_key(_SOUND, sound))
            # Of namesakes too many to compare, those who have something else in common too.
            numbers = {re.sub(r"[^0-9]", "", one) for one in plain}
            keys |= {_key(_NUMBERED, f"{sound} {one}") for one in numbers if len(one) >= SHORTEST_DIGITS}
            keys |= {_key(_SOUND, f"{sound} @{domain}") for domain in domains}
    # Whoever has no name is often called by the address.
    told = words or next((each for each in map(_words_of, locals_) if len(each) >= 2), ())
    return Known(told, plain[0] if plain else "", frozenset(keys))


def _words_of(text: str) -> tuple[str, ...]:
    return tuple(sorted(_WORD.findall(text)))


def folded(text: str) -> str:
    """Lower-case letters without their marks."""
    return "".join(letter for letter in normalize("NFKD", text.casefold()) if not combining(letter))


def sound_of(word: str) -> str:
    """A word by its first letter and its consonants, those that are often taken for each other as one."""
    for pattern, instead in _SOUNDS:
        word = pattern.sub(instead, word)
    return word[:1] + re.sub("[aeiou]", "", word[1:])


def _key(kind: int, text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> _KIND_BITS << _KIND_BITS | kind) % _SPAN

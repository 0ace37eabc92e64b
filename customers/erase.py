"""Erasing a customer: whatever says who it was goes, what happened stays under nobody's name.

1. `erase_customer`, one transaction in which nobody ingests: identities, traits, consents, accounts, reasons and
   portraits go, a keyed hash of each identifier stays, and the profiles are closed: an ingest that knew one of them a
   moment ago begins again. From then on nobody finds the person.
2. `work_on_erasures`, part by part, each a transaction that ends with the mark how far it came: texts of touchpoints
   and their lines, refused messages and lines, kept answers, files, and with touchpoints and tellings the raw bodies
   that they arrived as. A killed one is taken up where it stopped. What is looked for is kept with the erasure until
   all has been looked through.

The touchpoints keep type, instants and amounts under a nameless profile, so figures of the past stay; what rules read
of traits and properties is gone, so stages are computed anew, with erasure as their cause."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from unicodedata import normalize

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.access.models import KeptAnswer
from clm.lib.milliseconds import truncated
from clm.lib.questions import ConflictError

from . import locks
from .erase_files import drop_uploads, empty_rows
from .erased import digests_of, folded_identifiers
from .ingest import clock
from .merge import locked_customers
from .models import Cause, Customer, ErasedIdentifier, Erasure, PossibleMerge, Profile, Reject, Stale
from .raw_bodies import drop_bodies

TOUCHPOINTS_AT_ONCE, REJECTS_AT_ONCE = 2_000, 2_000
# Shorter words are looked for as whole values of messages only: "42" stands in many a line about somebody else.
SHORTEST_WORD = 4
_BEFORE_ALL = "-infinity"
_GONE = b'{"type":"about:blank","title":"Gone","status":410,"detail":"Whom this was about was erased."}'
Tell = Callable[[str], None]


@transaction.atomic
def erase_customer(*, customer: int, now: datetime, author: int | None = None) -> Erasure:
    """Step 1. ConflictError for somebody who is not there, was merged into somebody else, or was erased before."""
    locks.own_patiently(locks.PROPERTY_KEYS)
    locks.own(locks.MERGES)
    everybody = absorbed_by(customer)
    found = {one.pk: one for one in locked_customers({customer, *everybody})}
    if customer not in found:
        raise ConflictError(_("There is no customer %(customer)d.") % {"customer": customer})
    if (survivor := found[customer].merged_into_id) is not None:
        raise ConflictError(
            _("Customer %(customer)d was merged into %(survivor)d; erase that one, or undo the merge first.")
            % {"customer": customer, "survivor": survivor}
        )
    if found[customer].erased_at is not None:
        raise ConflictError(_("This customer was erased already."))
    at = truncated(now)
    profiles = list(Profile.objects.filter(customer=customer).order_by("pk").values_list("pk", flat=True))
    texts = [(kind, value) for kind, value in sql.rows("customers/erase_texts", profiles=profiles) if value]
    digests = {digest for one in folded_identifiers(texts) for digest in digests_of(*one)}
    ErasedIdentifier.objects.bulk_create(
        [ErasedIdentifier(digest=digest, erased_at=at) for digest in sorted(digests)], ignore_conflicts=True
    )
    record = Erasure.objects.create(
        customer_id=customer,
        at=at,
        author_id=author,
        wanted=_wanted(texts),
        progress={"profiles": profiles, "step": 0, "after": None},
    )
    ((identities, traits, tellings, consents, affiliations),) = sql.rows(
        "customers/erase_names", profiles=profiles, customers=sorted(found), erasure=record.pk, at=at
    )
    record.counts = {
        "identities": identities,
        "traits": traits,
        "tellings": tellings,
        "consents": consents,
        "affiliations": affiliations,
    }
    record.save(update_fields=["counts"])
    _mark(profiles)
    return record


def absorbed_by(customer: int) -> set[int]:
    """Everybody who was merged into a customer, one after the other; the caller keeps merges away."""
    found: set[int] = set()
    fresh = {customer}
    while fresh:
        fresh = set(Customer.objects.filter(merged_into__in=fresh).values_list("pk", flat=True)) - found
        found |= fresh
    return found


def work_on_erasures(*, seconds: float | None = None, tell: Tell = lambda _line: None) -> int:
    """Step 2 for every erasure that is not finished, for so long (None: until all are); how many were finished. Several
    may call it at once: each erasure is one's at a time."""
    until = None if seconds is None else time.monotonic() + seconds
    finished = 0
    while until is None or time.monotonic() < until:
        with transaction.atomic():
            record = (
                Erasure.objects.select_for_update(skip_locked=True, of=("self",))
                .filter(finished_at=None)
                .order_by("pk")
                .first()
            )
            if record is None:
                break
            finished += _part(record)
            progress = record.progress
        tell(f"erasure {record.pk}: {progress.get('said', 'done')}")
    return finished


# --- the parts ------------------------------------------------------------------------------------------------
def _part(record: Erasure) -> bool:
    """One part of an erasure; whether it was the last."""
    step = int(record.progress["step"])
    if step == len(_STEPS):
        PossibleMerge.objects.filter(profile__in=record.progress["profiles"]).delete()
        PossibleMerge.objects.filter(other__in=record.progress["profiles"]).delete()
        record.wanted, record.progress, record.finished_at = [], {}, truncated(clock())
        record.save()
        return True
    name, act = _STEPS[step]
    after, counted = act(record, record.progress["after"])
    for key, count in counted.items():
        record.counts[key] = record.counts.get(key, 0) + count
    record.progress = {
        **record.progress,
        "step": step + (after is None),
        "after": after,
        "said": f"{name}, {sum(counted.values())} rows",
    }
    record.save(update_fields=["progress", "counts"])
    return False


def _touchpoints(record: Erasure, after: Any) -> tuple[Any, dict[str, int]]:
    profiles: list[int] = record.progress["profiles"]
    if not profiles:
        return None, {}
    profile, after_at, after_id = after or [profiles[0], _BEFORE_ALL, 0]
    part = sql.rows(
        "customers/erase_touchpoints",
        profile=profile,
        after_at=after_at,
        after_id=after_id,
        limit=TOUCHPOINTS_AT_ONCE,
    )
    dropped = drop_bodies((arrived, source, message) for _at, _id, arrived, source, message, _had_text in part)
    counted = {"touchpoints": sum(had_text for *_rest, had_text in part), "raw_bodies": dropped}
    if len(part) == TOUCHPOINTS_AT_ONCE:
        last_at, last_id, *_rest = part[-1]
        return [profile, last_at.isoformat(), last_id], counted
    following = profiles.index(profile) + 1
    if following < len(profiles):
        return [profiles[following], _BEFORE_ALL, 0], counted
    # Rules may have read what is gone now.
    _mark(profiles)
    return None, counted


def _tellings(record: Erasure, after: Any) -> tuple[Any, dict[str, int]]:
    part = sql.rows("customers/erase_tellings", profiles=record.progress["profiles"], limit=TOUCHPOINTS_AT_ONCE)
    arrived = [(at, source, message) for at, source, message in part if at is not None and message is not None]
    return (len(part) == TOUCHPOINTS_AT_ONCE or None), {"raw_bodies": drop_bodies(arrived)}


def _rejects(record: Erasure, after: Any) -> tuple[Any, dict[str, int]]:
    rows = list(
        Reject.objects.filter(pk__gt=after or 0).order_by("pk").values_list("pk", "raw", "reason")[:REJECTS_AT_ONCE]
    )
    mentions = _Mentions(record.wanted)
    gone = [number for number, raw, reason in rows if mentions.found_in(bytes(raw).decode("utf-8", "replace"), reason)]
    Reject.objects.filter(pk__in=gone).delete()
    return (rows[-1][0] if len(rows) == REJECTS_AT_ONCE else None), {"rejects": len(gone)}


def _answers(record: Erasure, after: Any) -> tuple[Any, dict[str, int]]:
    """Answers kept for requests sent twice. The request must not be done again, so that it was answered is kept."""
    mentions = _Mentions(record.wanted)
    # What a form made is kept as its number alone, and names nobody.
    kept = KeptAnswer.objects.exclude(idempotency_key__startswith="form-").filter(pk__gt=after or 0).order_by("pk")
    rows = list(kept.values_list("pk", "body")[:REJECTS_AT_ONCE])
    gone = [number for number, body in rows if mentions.found_in(bytes(body).decode("utf-8", "replace"))]
    KeptAnswer.objects.filter(pk__in=gone).update(
        status=410, content_type="application/problem+json", location="", body=_GONE
    )
    return (rows[-1][0] if len(rows) == REJECTS_AT_ONCE else None), {"answers": len(gone)}


def _files(record: Erasure, after: Any) -> tuple[Any, dict[str, int]]:
    mentions = _Mentions(record.wanted)
    following, emptied = empty_rows(speaks=mentions.found_in, after=after or 0)
    return following, {"import_rows": emptied}


def _uploads(record: Erasure, after: Any) -> tuple[Any, dict[str, int]]:
    mentions = _Mentions(record.wanted)
    following, dropped = drop_uploads(speaks=mentions.found_in, after=after or 0)
    return following, {"uploads": dropped}


# In this order; a step is told how far it came and answers how far it is, None when it is through.
_STEPS: tuple[tuple[str, Callable[[Erasure, Any], tuple[Any, dict[str, int]]]], ...] = (
    ("touchpoints", _touchpoints),
    ("refused messages and lines", _rejects),
    ("kept answers", _answers),
    ("files being imported", _files),
    ("files that wait", _uploads),
    # Last, because erasures that wait know their step by its number.
    ("messages that told traits", _tellings),
)


def _mark(profiles: Sequence[int]) -> None:
    Stale.objects.bulk_create([Stale(profile_id=profile, cause=Cause.ERASE) for profile in profiles])


# --- looking for a person in what others wrote -----------------------------------------------------------------
def _wanted(texts: Iterable[tuple[str, str]]) -> list[str]:
    """The words by which somebody is found in a text: identifiers, as they were told and as they are folded, and whole
    names."""
    found = {value for kind, value in texts if kind != "name"}
    found |= {value for _kind, value in folded_identifiers(texts)}
    found |= {" ".join(value.split()) for kind, value in texts if kind == "name" and " " in value.strip()}
    return sorted(found)


class _Mentions:
    """Whether a text speaks of somebody: one of the words stands in it, not as a part of another word."""

    def __init__(self, wanted: Sequence[str]) -> None:
        words = [re.escape(normalize("NFC", one)) for one in wanted if len(one) >= SHORTEST_WORD]
        short = [re.escape(one) for one in wanted if len(one) < SHORTEST_WORD]
        patterns = []
        if words:
            patterns.append(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")
        if short:
            patterns.append(rf'"(?:userId|anonymousId|previousId|id)"\s*:\s*"?(?:{"|".join(short)})"?\s*[,}}]')
        self._pattern = re.compile("|".join(patterns), re.IGNORECASE) if patterns else None

    def found_in(self, *texts: str) -> bool:
        return self._pattern is not None and any(self._pattern.search(_plain(text)) for text in texts)


def _plain(text: str) -> str:
    """A text in one Unicode form, letters that JSON wrote by number spelled out."""
    if "\\u" in text:
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return normalize("NFC", text)

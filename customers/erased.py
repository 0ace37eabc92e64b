"""Recognising what was erased: of each identifier a keyed hash is left, so that nobody can read it and whoever names it
again is noticed.

Ingestion takes out of an event whatever identifies somebody who was erased, and drops an event that has no other
identity. An identity that is stored now is nobody's who was erased: then an admin let it in again (`readmit`)."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from msgspec.structs import replace

from clm.lib import sql
from clm.lib.questions import QuestionError

from .events import Event
from .models import ErasedIdentifier
from .receiving.people import email_of, phone_of

IdentityKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sifted:
    """Events without what was erased. places: where each of them stood among those asked about; met: by digest in how
    many events it was named."""

    events: tuple[Event, ...]
    places: tuple[int, ...]
    met: Counter[str]


@cache
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"clm.erased_identifier\0" + secret.encode()).digest()


def digest_of(kind: str, value: str) -> str:
    """What is kept of an erased identifier: it cannot be made without this installation's SECRET_KEY."""
    return hmac.digest(_key(settings.SECRET_KEY), f"{kind}\0{value}".encode(), "sha256").hex()


def digests_of(kind: str, value: str) -> tuple[str, ...]:
    """By what an identifier is recognised: as itself and, if it is written like an address, as that address, because
    many send addresses as ids."""
    own = digest_of(kind, value)
    address = email_of(value) if kind != "email" and "@" in value else ""
    return (own, digest_of("email", address)) if address else (own,)


def folded_identifiers(texts: Iterable[IdentityKey]) -> set[IdentityKey]:
    """The identifiers that some texts are: identities as they are, and addresses and numbers among the texts of no kind
    and of traits."""
    found = set()
    for kind, value in texts:
        address, number = email_of(value), phone_of(value)
        if address:
            found.add(("email", address))
        if number:
            found.add(("phone", number))
        if kind and kind not in ("name", "email", "phone"):
            found.add((kind, value))
    return found


def named(event: Event) -> list[IdentityKey]:
    """The identities of an event, and the address and number that its traits tell besides."""
    found = list(event.identities)
    for kind, fold in (("email", email_of), ("phone", phone_of)):
        if (told := event.traits.get(kind)) and (folded := fold(told)):
            found.append((kind, folded))
    return found


def sift(*, events: Sequence[Event], erased: Collection[str], known: Collection[IdentityKey]) -> Sifted:
    """Take what was erased out of events. erased: the digests among theirs that are kept; known: identities that are
    stored, which are nobody's who was erased."""
    kept, places, met = [], [], Counter[str]()
    for place, event in enumerate(events):
        gone = {
            identity: digests
            for identity in named(event)
            if identity not in known and (digests := [one for one in digests_of(*identity) if one in erased])
        }
        if gone:
            met.update(dict.fromkeys((one for digests in gone.values() for one in digests), 1))
            identities = tuple(one for one in event.identities if one not in gone)
            if not identities:
                continue
            texts = {value.casefold() for _kind, value in gone}
            event = replace(
                event,
                identities=identities,
                traits=_without(event.traits, texts),
                properties=_without(event.properties, texts),
                raw=None,
            )
        kept.append(event)
        places.append(place)
    return Sifted(tuple(kept), tuple(places), met)


def _without(told: Mapping[str, Any], texts: Set[str]) -> dict[str, Any]:
    """What was told, but for values that say one of some texts, however they are written."""
    return {
        key: value
        for key, value in told.items()
        if not isinstance(value, str)
        or not {value.strip().casefold(), email_of(value).casefold(), phone_of(value)} & texts
    }


def note_met(*, met: Counter[str], at: datetime) -> None:
    """Remember that erased identifiers were named again; nothing but how often and when."""
    digests = sorted(met)
    sql.rows("customers/erased_met", digests=digests, counts=[met[one] for one in digests], at=at)


def erased_among(identities: Iterable[IdentityKey]) -> set[IdentityKey]:
    """Those of some identifiers that somebody asked us to forget; one query."""
    digests = {one: digests_of(*one) for one in identities}
    asked = sorted({digest for each in digests.values() for digest in each})
    found = set(ErasedIdentifier.objects.filter(digest__in=asked).values_list("digest", flat=True))
    return {one for one, each in digests.items() if not found.isdisjoint(each)}


def is_erased(kind: str, value: str) -> bool:
    """Whether somebody asked us to forget this identifier."""
    return bool(erased_among([(kind, value)]))


def refuse_erased(kind: str, value: str, *, field: str) -> None:
    """QuestionError if a person types what was erased."""
    if value and is_erased(kind, value):
        raise QuestionError(
            field,
            _("Whoever this belongs to was erased. If the person comes back, an admin can let it in again."),
        )


@transaction.atomic
def readmit(*, kind: str, value: str) -> bool:
    """Let an identifier in again whose person has come back; whether it had been erased. The kind is that of an
    identity; an address and a number are folded as they are everywhere."""
    folded = {"email": email_of, "phone": phone_of}.get(kind, str)(value)
    if not folded:
        message = {
            "email": _("This is not an e-mail address. Write it like anna@example.org."),
            "phone": _("This is not a telephone number with its country. Write it like +44 20 7946 0018."),
        }
        raise QuestionError("value", message.get(kind, _("Say which identifier it is.")))
    gone, _by_model = ErasedIdentifier.objects.filter(digest=digest_of(kind, folded)).delete()
    return gone > 0

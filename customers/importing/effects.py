"""What each row of a file does: it makes a new customer, updates a known one, or changes nothing. And which statements
of consent it adds: one that would subscribe again who has unsubscribed is never added, whatever the file says."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..models import Consent
from ..trait_steps import canonical
from .events_of import RowEvents
from .known import Earlier, IdentityKey, Known, Stated

NEW, UPDATED, UNCHANGED = "new", "updated", "unchanged"
# Conflicts a file has with what is known, or with itself.
CONFLICTS = ("two_customers", "kept_unsubscribed", "told_later", "named_again")
_NO = (Consent.State.WITHDRAWN, Consent.State.REFUSED)


@dataclass(frozen=True, slots=True)
class NewConsent:
    """A statement to be added, and by which row (its place among the rows)."""

    place: int
    address: str
    channel: str
    purpose: str
    state: str
    at: datetime


@dataclass(slots=True)
class Effect:
    """What one row does. changes: trait -> (canonical text before or None, now); touchpoints: type and instant of new
    ones; conflicts: key -> what it is about."""

    outcome: str
    changes: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    touchpoints: list[tuple[str, datetime]] = field(default_factory=list)
    identities: list[IdentityKey] = field(default_factory=list)
    consents: list[NewConsent] = field(default_factory=list)
    account: str = ""
    conflicts: dict[str, str] = field(default_factory=dict)


def effects_of(*, rows: Sequence[RowEvents], known: Known, earlier: Earlier) -> list[Effect]:
    """What each of some rows does, in their order."""
    earlier.next_portion(one for each in rows for one in _marks(each, known, earlier))
    return [_effect(place, each, known, earlier) for place, each in enumerate(rows)]


def _customer(each: RowEvents, known: Known) -> int | None:
    return next((known.owner[one] for one in each.row.identities if one in known.owner), None)


def _people(each: RowEvents, customer: int | None, earlier: Earlier) -> list[Hashable]:
    named = [earlier.mark("who", *one) for one in each.row.identities]
    return named if customer is None else [earlier.mark("customer", customer), *named]


def _marks(each: RowEvents, known: Known, earlier: Earlier) -> list[Hashable]:
    people = _people(each, _customer(each, known), earlier)
    found = people + [earlier.mark("message", one) for one in each.hashes]
    found += [earlier.mark("consent", one.address, one.channel, one.purpose) for one in each.row.consents]
    if each.row.account:
        found.append(earlier.mark("account", each.row.account.key, people[0]))
    return found


def _effect(place: int, each: RowEvents, known: Known, earlier: Earlier) -> Effect:
    customer = _customer(each, known)
    people = _people(each, customer, earlier)
    now = {key: canonical(value) for key, value in (each.row.traits or {}).items()}
    met = [said for one in people if (said := earlier.said(one)) is not None]
    effect = Effect(UNCHANGED)
    owners = {known.owner[one] for one in each.row.identities if one in known.owner}
    if len(owners) > 1:
        effect.conflicts["two_customers"] = ", ".join(f"#{one}" for one in sorted(owners))
    if met:
        effect.conflicts["named_again"] = each.row.identities[0][1]
    if not _is_told(each, known, earlier):
        _tell(effect, each, known, customer, met, now)
    effect.identities = [
        one for one in each.row.identities if one not in known.owner and earlier.said(earlier.mark("who", *one)) is None
    ]
    effect.touchpoints = [
        (event.type, event.occurred_at)
        for event, hashed in zip(each.events, each.hashes, strict=True)
        if event.is_touchpoint
        and hashed not in known.messages
        and earlier.said(earlier.mark("message", hashed)) is None
    ]
    _consent(effect, place, each, known, earlier)
    account = each.row.account
    if account is not None:
        belongs = earlier.mark("account", account.key, people[0])
        if (customer or 0, account.key) not in known.affiliated and earlier.said(belongs) is None:
            effect.account = account.name or account.key
        earlier.say(belongs, True)
    if customer is None and not met:
        effect.outcome = NEW
    elif effect.changes or effect.identities or effect.touchpoints or effect.consents or effect.account:
        effect.outcome = UPDATED
    together: dict[str, Any] = {key: value for said in met for key, value in said.items()}
    together |= now
    for one in people:
        earlier.say(one, together)
    for hashed in each.hashes:
        earlier.say(earlier.mark("message", hashed), True)
    return effect


def _is_told(each: RowEvents, known: Known, earlier: Earlier) -> bool:
    """Whether the message that tells of the person was stored or said before: the first told counts. What happened may
    tell, too: an order, a message of a dump."""
    if not each.hashes:
        return True  # all it says is known
    telling = next(
        (hashed for event, hashed in zip(each.events, each.hashes, strict=True) if not event.is_touchpoint),
        each.hashes[0],
    )
    return telling in known.messages or earlier.said(earlier.mark("message", telling)) is not None


def _tell(
    effect: Effect,
    each: RowEvents,
    known: Known,
    customer: int | None,
    met: Sequence[Mapping[str, str]],
    told: Mapping[str, str],
) -> None:
    stored = known.traits.get(customer, {}) if customer is not None else {}
    said = {key: value for one in met for key, value in one.items()}
    for key, now in told.items():
        before = said.get(key) or (stored[key][0] if key in stored else None)
        if before == now:
            continue
        if key not in said and key in stored and stored[key][1] > each.told_at:
            effect.conflicts["told_later"] = key
        effect.changes[key] = (before, now)


def _consent(effect: Effect, place: int, each: RowEvents, known: Known, earlier: Earlier) -> None:
    for one in each.row.consents:
        at = one.at or each.told_at
        key = (one.address.lower(), one.channel, one.purpose)
        place_said = earlier.mark("consent", one.address, one.channel, one.purpose)
        stated = known.consents.get(key, [])
        now = earlier.said(place_said) or _in_force(stated)
        if any(each_stated.state == one.state and each_stated.at == at for each_stated in stated) or now == one.state:
            continue
        if now in _NO and one.state not in _NO:
            effect.conflicts["kept_unsubscribed"] = one.address
            continue
        effect.consents.append(NewConsent(place, one.address, one.channel, one.purpose, one.state, at))
        earlier.say(place_said, one.state)


def _in_force(stated: Sequence[Stated]) -> str | None:
    """The state that counts: of the latest instant; but a no that was recorded last is one, whatever its instant."""
    if not stated:
        return None
    latest = max(stated, key=lambda one: (one.at, one.number))
    last = max(stated, key=lambda one: one.number)
    return last.state if last.state in _NO else latest.state

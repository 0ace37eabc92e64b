"""From a message of Segment's specification to the events that ingestion stores: who, what, when, over which channel,
for how much, and what it told of traits."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from clm.lib.milliseconds import truncated
from customers.events import Event
from customers.mapped_types import MappedType, read_from
from customers.models import Touchpoint
from customers.standard_types import STANDARD_TYPES

from .consents import Forbidden, forbidden_by
from .instants import instant_of, occurred, sent_of
from .messages import Message
from .money import amount_of, converted, currency_of, lines_of
from .people import Identity, email_of, external_ids, person_id, phone_of
from .refusal import Refusal

LONGEST_TYPE, LONGEST_KEY, LONGEST_REFERENCE = 200, 200, 500
_LONGEST_ADDRESS = 8_000
_CAMPAIGN = ("source", "medium", "name", "term", "content")
_UTM = tuple((key, f"utm_{key}") for key in ("source", "medium", "campaign", "term", "content"))
_UTM_NAMES = frozenset(name for _key, name in _UTM)
# What makes taking an address apart more than cutting it at its question mark.
_PARTED = ("#", "[", "]", " ")
# How the specification's names of messages to people begin, and over what these go.
_CHANNELS = (("Email ", "email"), ("Unsubscribed", "email"), ("Push Notification ", "push"), ("Live Chat ", "chat"))
_APPS = ("ios", "android", "swift", "kotlin", "flutter", "react-native", "unity", "xamarin")


@dataclass(frozen=True, slots=True)
class Sender:
    """What must be known of whoever sends to understand a message: the currency of amounts that name none, the one that
    is reported in, and what people said of the names of types."""

    currency: str
    reporting: str
    types: Mapping[str, MappedType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Affiliated:
    """A person was said to belong to an account."""

    key: str
    name: str
    properties: Mapping[str, Any]


class Understood(msgspec.Struct, frozen=True):
    """A message as an event. account: what a group call says; previous: the id that an alias call replaces; forbids:
    what may not be done from then on."""

    event: Event
    account: Affiliated | None = None
    previous: str = ""
    forbids: Forbidden | None = None


def understood(
    message: Message, raw: bytes, *, sender: Sender, sent: datetime | None, received: datetime
) -> Understood:
    """Refusal for a message that says nothing of anybody, or something that cannot be stored."""
    context = message.context or {}
    traits = _traits(message, context)
    previous = person_id(message.previousId, "previousId") if message.type == "alias" else ""
    said = instant_of(message.originalTimestamp or message.timestamp, "timestamp")
    own_sent = sent_of(message.sentAt) if message.sentAt else None
    at = occurred(said, sent=own_sent or sent, received=received)
    if at is said:  # as nearly always; both are cut to the millisecond later, here at once
        at = said = truncated(at)
    identities = _identities(message, context, traits)
    if message.type == "alias":
        if not previous:
            raise Refusal("previousId", "is missing, or means nobody")
        if not identities:
            raise Refusal("userId", "is missing, or means nobody")
    if not identities:
        named = next((name for name in ("userId", "anonymousId") if getattr(message, name) is not None), "userId")
        raise Refusal(named, "is missing, or means nobody")
    same: dict[str, Any] = {
        "message_id": _message_id(message, raw, said),
        "identities": identities,
        "channel": channel_of(message, context),
        "occurred_at": at,
        "said_at": said or received,
        "raw": raw,
    }
    if message.type in ("track", "page", "screen"):
        event = _touchpoint(message, context, sender, at, traits, same)
        return Understood(event, forbids=forbidden_by(event.type, properties=event.properties, traits=traits))
    account = _account(message) if message.type == "group" else None
    kept = traits if message.type == "identify" else {}
    touch = _touch(_campaign(context, {}))
    event = Event(**same, type=(message.type or "").title(), traits={**kept, **touch}, is_touchpoint=False)
    return Understood(event, account, previous)


def _touchpoint(
    message: Message,
    context: Mapping[str, Any],
    sender: Sender,
    at: datetime,
    traits: Mapping[str, Any],
    same: Mapping[str, Any],
) -> Event:
    name, properties = _named(message)
    mapped = sender.types.get(name)
    role = STANDARD_TYPES.get(name, "other") if mapped is None else mapped.role
    if mapped is not None and mapped.reads:
        properties = {**properties, **read_from(properties, mapped.reads)}
    if campaign := _campaign(context, properties):
        traits = {**traits, **_touch(campaign)}
        properties |= {f"utm_{key}": value for key, value in campaign.items()}
    currency = currency_of(properties, sender.currency or sender.reporting)
    told = amount_of(properties, role)
    amount = original = None
    flags = 0
    if told is not None:
        original = told[0]
        amount = converted(original, currency, reporting=sender.reporting, at=at) if currency else None
        flags = 0 if amount is not None else int(Touchpoint.Flag.NO_RATE)
    reference = person_id(properties.get("order_id"), "properties.order_id")
    # A name of one's own that speaks of an order may be mapped to a purchase later; Order Updated is none by itself.
    is_own = mapped is None and name not in STANDARD_TYPES
    is_order = role in ("purchase", "refund") or (is_own and bool(reference) and told is not None)
    lines = (
        lines_of(properties, role=role, units=lambda one: converted(one, currency, reporting=sender.reporting, at=at))
        if is_order and currency
        else ()
    )
    return Event(
        **same,
        type=name,
        amount=amount,
        original_amount=original,
        currency=currency if told is not None else "",
        order_ref=reference if is_order else "",
        properties=properties,
        flags=flags,
        lines=lines,
        traits=traits,
    )


def _named(message: Message) -> tuple[str, dict[str, Any]]:
    """The name of the type, and the properties with what pages say beside them."""
    properties = dict(message.properties or {})
    if message.type == "track":
        name = (message.event or "").strip()
        if not name:
            raise Refusal("event", "is missing")
        if len(name) > LONGEST_TYPE:
            raise Refusal("event", f"is longer than {LONGEST_TYPE} characters")
        return name, properties
    for key, value in (("name", message.name), ("category", message.category)):
        if value and key not in properties:
            properties[key] = value
    return ("Page Viewed" if message.type == "page" else "Screen Viewed"), properties


def _message_id(message: Message, raw: bytes, said: datetime | None) -> str:
    """The client's id. A message without one is known by its text if that says when, so that it can be sent again."""
    told = message.messageId
    if isinstance(told, int) and not isinstance(told, bool):
        told = str(told)
    if told is not None and not isinstance(told, str):
        raise Refusal("messageId", "is neither text nor a whole number")
    if told:
        return told
    return "text:" + hashlib.blake2b(raw, digest_size=16).hexdigest() if said else str(uuid.uuid4())


def _traits(message: Message, context: Mapping[str, Any]) -> dict[str, Any]:
    """Of identify calls their traits; of all others those in the context. A group's traits are the account's."""
    if message.type != "identify" and "traits" not in context:
        return {}
    told = message.traits if message.type == "identify" else context.get("traits")
    beside = context.get("traits") if message.type == "identify" else None
    path = "traits" if message.type == "identify" else "context.traits"
    found = {**(beside if isinstance(beside, dict) else {}), **(told if isinstance(told, dict) else {})}
    for key in found:
        if len(key) > LONGEST_KEY:
            raise Refusal(path, f"has a name longer than {LONGEST_KEY} characters")
    return found


def _identities(message: Message, context: dict[str, Any], traits: Mapping[str, Any]) -> tuple[Identity, ...]:
    found: list[Identity] = []
    if user := person_id(message.userId, "userId"):
        found.append(("user_id", user))
    if "externalIds" in context:
        found += external_ids(context)
    if traits:
        if email := email_of(traits.get("email")):
            found.append(("email", email))
        if phone := phone_of(traits.get("phone")):
            found.append(("phone", phone))
    if anonymous := person_id(message.anonymousId, "anonymousId"):
        found.append(("anonymous_id", anonymous))
    return tuple(dict.fromkeys(found) if "externalIds" in context else found)


def channel_of(message: Message, context: Mapping[str, Any]) -> str:
    """Over which way it happened: what the event's name says, else where the library runs."""
    if message.type == "track" and (channel := _said_by(message.event or "")):
        return channel
    if message.type == "screen" or message.channel == "mobile":
        return "app"
    library = context.get("library")
    written = str(library.get("name", "")).lower() if isinstance(library, dict) else ""
    if _is_app(written):
        return "app"
    if message.type == "page" or message.channel in ("browser", "client", "web") or "page" in context:
        return "web"
    return "web" if written in ("analytics.js", "rudderlabs javascript sdk") else "server"


@lru_cache(maxsize=1000)
def _said_by(name: str) -> str:
    """The channel that an event's name says; "" for most."""
    return next((channel for beginning, channel in _CHANNELS if name.startswith(beginning)), "")


@lru_cache(maxsize=1000)
def _is_app(library: str) -> bool:
    return any(word in library for word in _APPS)


def _campaign(context: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, str]:
    """The campaign that led here, lower-cased: spellings of one campaign are one. What the library read off the address
    counts first, then properties named so, then the address itself."""
    found: dict[str, str] = {}
    for told in (
        _of_library(context) if "campaign" in context else None,
        _of_properties(properties),
        _of_address(context, properties),
    ):
        if told:
            for key, value in told.items():
                if isinstance(value, str) and (text := value.strip()):
                    found.setdefault(key, text.lower()[:LONGEST_REFERENCE])
    return found


def _of_library(context: Mapping[str, Any]) -> dict[str, Any]:
    told = context.get("campaign")
    if not isinstance(told, dict):
        return {}
    return {"campaign" if key == "name" else key: told[key] for key in _CAMPAIGN if key in told}


def _of_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    if _UTM_NAMES.isdisjoint(properties):
        return {}
    return {key: properties[name] for key, name in _UTM if name in properties}


def _of_address(context: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    for told in (context.get("page"), properties):
        if not told or not isinstance(told, dict):
            continue
        for name in ("search", "url"):
            query = told.get(name)
            if isinstance(query, str) and "utm_" in query and len(query) <= _LONGEST_ADDRESS:
                try:
                    return dict(_asked(query_of(query)))
                except ValueError:
                    continue
    return {}


def query_of(text: str) -> str:
    """The query of an address, or of what follows a question mark. ValueError for what is no address."""
    if text.isascii() and text.isprintable() and not any(one in text for one in _PARTED):
        return text.partition("?")[2] if "?" in text else text
    return urlsplit(text if "?" in text else f"?{text}").query


@lru_cache(maxsize=1000)
def _asked(query: str) -> tuple[tuple[str, str], ...]:
    """What a query says of a campaign: of one letter every reader's is the same. ValueError for one of too many
    parts."""
    return tuple(_of_properties(dict(parse_qsl(query, max_num_fields=200))).items())


def _touch(campaign: Mapping[str, str]) -> dict[str, str]:
    """The last touch as the steps of utm_*, the first as first_utm_*, which keeps its earliest telling."""
    return {f"{way}utm_{key}": value for way in ("", "first_") for key, value in campaign.items()}


def _account(message: Message) -> Affiliated:
    key = person_id(message.groupId, "groupId")
    if not key:
        raise Refusal("groupId", "is missing, or means nobody")
    properties = dict(message.traits or {})
    name = properties.get("name")
    return Affiliated(key, name if isinstance(name, str) else "", properties)

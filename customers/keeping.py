"""Acts of people who keep customers by hand: create one, correct what is known, log a call or a note.

They tell what they know through the same door as every machine: an Event of the source `manual`. Nothing else about a
customer is written, so the caller brings the customer up to date afterwards (`lifecycle.advance`)."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unicodedata import normalize

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import Faults, QuestionError

from .erased import refuse_erased
from .events import EARLIEST, Event
from .ingest import ingest
from .models import Customer, Identity, Profile, Source, Trait
from .receiving.people import phone_of

SOURCE = "manual"
KINDS = {"call": ("Call", "phone"), "note": ("Note", "manual")}
DIRECTIONS = ("", "in", "out")
LONGEST_NAME, LONGEST_EMAIL, LONGEST_PHONE, LONGEST_ID, LONGEST_TEXT = 200, 254, 60, 200, 10_000
# What mail servers take is wider than any pattern; this refuses what is certainly no single address.
_EMAIL = re.compile(r'[^\s@,;:<>"()]+@[^\s@,;:<>"()]+\.[^\s@,;:<>"().]{2,}')
_PHONE = re.compile(r"\+?[0-9 ()./-]{3,}")


@dataclass(frozen=True, slots=True)
class Logged:
    """A touchpoint logged by hand: the id of its message, and whether it was new (a repeated id is stored once)."""

    message_id: str
    is_new: bool


def manual_source() -> Source:
    """Where what people type comes from."""
    return Source.objects.get_or_create(key=SOURCE, defaults={"name": "By hand", "kind": "manual"})[0]


@transaction.atomic
def create_customer(
    *,
    name: str = "",
    email: str = "",
    phone: str = "",
    external_id: str = "",
    note: str = "",
    author: str,
    now: datetime,
) -> int:
    """A new customer with one touchpoint `Created`, and `Note` if there is something to say; its id.

    At least one of name, e-mail, phone and external_id is needed. QuestionError names every field that cannot be used;
    an e-mail address or external id that somebody else has belongs to that customer and is refused. A phone number with
    its country recognises the customer too, unless it is somebody else's already."""
    asked = Faults()
    told = _folded({"name": name, "email": email, "phone": phone, "external_id": external_id}, asked)
    said = asked.read(lambda: folded_text(note, field="note", longest=LONGEST_TEXT, lines=True), "")
    if not asked and not any(told.values()):
        asked.note(QuestionError("name", _("A customer needs a name, an e-mail address, a phone number or an id.")))
    _refuse_taken(told, customer=None, asked=asked)
    asked.refuse()
    identities = _identities(told, customer=None)
    traits = {key: told[key] for key in ("name", "email", "phone") if told[key]}
    # Without an address or an id of its own the customer is known by a number made here.
    identities = identities or [("record", str(uuid.uuid4()))]
    # A millisecond before the note, so that a timeline always shows them in this order.
    made_at = now - timedelta(milliseconds=1)
    events = [_event(identities, "Created", "manual", made_at, properties={"author": author}, traits=traits)]
    if said:
        events.append(_event(identities, "Note", "manual", now, properties={"text": said, "author": author}))
    done = ingest(source=manual_source(), events=events)
    if done.new_customers != 1:
        # Somebody else told the same identity a moment ago; what we wrote is rolled back.
        raise QuestionError(identities[0][0], _("Another customer has had this since a moment ago. Please try again."))
    return Profile.objects.values_list("customer_id", flat=True).get(pk=done.profiles[0])


@transaction.atomic
def edit_customer(*, customer: int, changes: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """Tell what is now known of `name`, `email`, `phone` and `external_id` ("" clears one); the names of those that
    changed.

    The latest telling counts, whoever told it. An earlier e-mail address or external id stays an identity: what arrives
    under it is still this customer's, so it can be replaced but not cleared. QuestionError names every field that
    cannot be used."""
    asked = Faults()
    for key in changes:
        if key not in KEPT:
            asked.note(QuestionError(key, _("This cannot be changed; name, e-mail, phone and external id can.")))
    told = _folded({key: value for key, value in changes.items() if key in KEPT}, asked)
    known = _told_now(customer)
    told = {key: value for key, value in told.items() if (known[key][0] if key in known else "") != value}
    for key, message in (
        ("email", _("An address that a customer is recognised by can be replaced, not cleared.")),
        ("external_id", _("An id that a customer is recognised by can be replaced, not cleared.")),
    ):
        if told.get(key) == "" and Identity.objects.filter(profile__customer=customer, kind=key).exists():
            asked.note(QuestionError(key, message))
    _refuse_taken(told, customer=customer, asked=asked)
    asked.refuse()
    by_profile: dict[int | None, dict[str, Any]] = {}
    for key, value in told.items():
        # On the profile that told it last: telling another profile what it already says would change nothing.
        by_profile.setdefault(known[key][1] if key in known else None, {})[key] = value or None
    events = [
        _event(
            [_identity_of(customer, profile), *_identities(part, customer=customer)],
            "Edited",
            "manual",
            now,
            traits=part,
        )
        for profile, part in by_profile.items()
    ]
    ingest(source=manual_source(), events=events)
    # Somebody else may have told one of them a moment ago; then what we wrote is rolled back.
    _refuse_taken(told, customer=customer, asked=asked)
    asked.refuse()
    return tuple(told)


def external_id_of(*, customer: int) -> str:
    """The external id that counts now: what was told last by hand, else the one met last; "" for none."""
    told = _told_now(customer).get("external_id")
    return told[0] if told else ""


@transaction.atomic
def log_touchpoint(
    *,
    customer: int,
    kind: str,
    text: str,
    author: str,
    now: datetime,
    occurred_at: datetime | None = None,
    direction: str = "",
    message_id: str | None = None,
) -> Logged:
    """Log a call or a note with what was said. `occurred_at` None: now; a `message_id` of the caller's own makes a
    repeated request harmless."""
    asked = Faults()
    if kind not in KINDS:
        asked.note(QuestionError("kind", _("A touchpoint logged by hand is a call or a note.")))
    if direction not in DIRECTIONS:
        asked.note(QuestionError("direction", _("A direction is in or out.")))
    said = asked.read(lambda: folded_text(text, field="text", longest=LONGEST_TEXT, lines=True), "?")
    if not said:
        asked.note(QuestionError("text", _("Say in a few words what it was about.")))
    at = asked.read(lambda: past(occurred_at or now, now=now), now)
    asked.refuse()
    type_name, channel = KINDS[kind]
    properties = {"text": said, "author": author} | ({"direction": direction} if direction else {})
    event = _event([_identity_of(customer)], type_name, channel, at, properties=properties, message_id=message_id)
    done = ingest(source=manual_source(), events=[event])
    return Logged(event.message_id, done.new == 1)


def past(at: datetime, *, now: datetime) -> datetime:
    """`at`, if something can have happened then; QuestionError names the field `occurred_at`."""
    if at > now:
        raise QuestionError("occurred_at", _("This lies in the future. Log what has happened."))
    if at < EARLIEST:
        raise QuestionError("occurred_at", _("This lies before 1990. Please look at the year."))
    return at


# --- what people type, folded ---------------------------------------------------------------------------------
def folded_text(text: str, *, field: str, longest: int, lines: bool = False) -> str:
    """Trimmed, in one Unicode form; QuestionError for control characters and overlong texts."""
    folded = normalize("NFC", text).strip()
    if lines:
        folded = folded.replace("\r\n", "\n").replace("\r", "\n")
    if any(ord(letter) < 32 and not (lines and letter in "\n\t") for letter in folded) or "\x7f" in folded:
        raise QuestionError(field, _("This holds a character that cannot be written."))
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in folded):
        raise QuestionError(field, _("This holds half a character."))
    if len(folded) > longest:
        raise QuestionError(field, _("This is too long: at most %(longest)d characters.") % {"longest": longest})
    return folded


def folded_name(name: str) -> str:
    """A name with single spaces."""
    return " ".join(folded_text(name, field="name", longest=LONGEST_NAME).split())


def folded_email(email: str) -> str:
    """An address trimmed, NFC, lower-case; "" stays "". QuestionError when it is no address."""
    folded = folded_text(email, field="email", longest=LONGEST_EMAIL).lower()
    if folded and not _EMAIL.fullmatch(folded):
        raise QuestionError("email", _("This is not an e-mail address. Write it like anna@example.org."))
    return folded


def folded_phone(phone: str) -> str:
    """A telephone number as it was typed, with single spaces."""
    folded = " ".join(folded_text(phone, field="phone", longest=LONGEST_PHONE).split())
    if folded and not _PHONE.fullmatch(folded):
        raise QuestionError("phone", _("This is not a telephone number. Write it like +44 20 7946 0018."))
    return folded


def folded_id(number: str) -> str:
    """The id in another system: kept exactly, without the spaces around it."""
    return folded_text(number, field="external_id", longest=LONGEST_ID)


# What people keep of a customer by hand, and how each is folded.
KEPT: dict[str, Callable[[str], str]] = {
    "name": folded_name,
    "email": folded_email,
    "phone": folded_phone,
    "external_id": folded_id,
}


# --- inside ---------------------------------------------------------------------------------------------------
def _event(
    identities: list[tuple[str, str]],
    type_name: str,
    channel: str,
    at: datetime,
    *,
    properties: Mapping[str, Any] | None = None,
    traits: Mapping[str, Any] | None = None,
    message_id: str | None = None,
) -> Event:
    return Event(
        message_id=message_id or str(uuid.uuid4()),
        identities=tuple(identities),
        type=type_name,
        channel=channel,
        occurred_at=at,
        properties=properties or {},
        traits=traits or {},
        is_touchpoint=type_name != "Edited",
    )


def _folded(told: Mapping[str, str], asked: Faults) -> dict[str, str]:
    """What was told of KEPT, folded; what cannot be used is left out and said in `asked`."""
    found = {}
    for key, value in told.items():
        folded = asked.read(partial(KEPT[key], value), None)
        if folded is not None:
            found[key] = folded
    return found


def _identities(told: Mapping[str, str | None], *, customer: int | None) -> list[tuple[str, str]]:
    """What of it somebody is recognised by. A telephone may be a household's: the number of another customer is kept
    as it was typed and recognises nobody; the search for duplicates looks at both."""
    found = [(kind, value) for kind in ("email", "external_id") if (value := told.get(kind))]
    number = phone_of(told.get("phone"))
    if number and _owner("phone", number) in (None, customer):
        found.append(("phone", number))
    return found


def _owner(kind: str, value: str) -> int | None:
    """The customer who is recognised by it."""
    known = Identity.objects.filter(kind=kind, value=value)
    return known.values_list("profile__customer_id", flat=True).first()


def _refuse_taken(told: Mapping[str, str], *, customer: int | None, asked: Faults) -> None:
    for kind, value in _identities(told, customer=customer):
        with asked.noted():
            refuse_erased(kind, value, field=kind)
        number = _owner(kind, value)
        if number is not None and number != customer:
            owner = Customer.objects.get(pk=number)
            has = {
                "email": _("%(name)s (customer %(customer)d) has this e-mail address already."),
                "external_id": _("%(name)s (customer %(customer)d) has this id already."),
            }
            message = has[kind] % {"name": owner.known_as, "customer": owner.pk}
            asked.note(QuestionError(kind, message, customer=owner.pk))


def _identity_of(customer: int, profile: int | None = None) -> tuple[str, str]:
    """What a profile of the customer (None: the first one) is recognised by, so that the telling lands there."""
    known = Identity.objects.filter(profile__customer=customer)
    if profile is not None:
        known = known.filter(profile=profile)
    found = known.order_by("profile_id", "pk").values_list("kind", "value").first()
    if found is None:
        # A nameless profile, all that erasure leaves: it is nobody's to edit.
        if not Customer.objects.filter(pk=customer).exists():
            raise QuestionError("customer", _("There is no such customer."))
        raise QuestionError("customer", _("This customer has no identity left to tell anything about."))
    return found


def _told_now(customer: int) -> dict[str, tuple[Any, int]]:
    """What was told last of each of KEPT ("" for nothing), and by which profile."""
    steps = Trait.objects.filter(profile__customer=customer, key__in=list(KEPT))
    told = {step.key: (step.value or "", step.profile_id) for step in steps.order_by("last_seen_at", "pk")}
    if "external_id" not in told:
        # Sources tell ids as identities, not as traits.
        known = Identity.objects.filter(profile__customer=customer, kind="external_id").order_by("-pk").first()
        if known is not None:
            told["external_id"] = (known.value, known.profile_id)
    return told

"""Acts of admins who decide whom the outside is told of changes, and see to it that it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, Faults, NotThereError, QuestionError
from clm.lib.reachable import UnreachableError, parse_target

from ..models import Delivery, Endpoint, Resending
from .deliver import allowed_networks
from .ending import disable
from .events import PING, TYPES, body_of, known_names
from .plan import ends
from .signing import fingerprint, new_salt, secret_of

LONGEST_DESCRIPTION = 200
MOST_ENDPOINTS = 50
# Both secrets sign for so long after a new one was made.
OVERLAP = timedelta(hours=24)


@transaction.atomic
def create_endpoint(*, told: Mapping[str, Any], now: datetime) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is told once. It hears what happens from now on."""
    if Endpoint.objects.count() >= MOST_ENDPOINTS:
        raise ConflictError(_("There are %(most)s webhooks already.") % {"most": MOST_ENDPOINTS})
    endpoint = Endpoint(created_at=now)
    _tell(endpoint, {"events": [], **told, "url": told.get("url", "")})
    secret = _new_secret(endpoint)
    endpoint.save()
    return endpoint, secret


@transaction.atomic
def change_endpoint(*, endpoint: Endpoint, changes: Mapping[str, Any]) -> Endpoint:
    """Change what an endpoint is told, or where it lies. What is planned already is still told, at the new address."""
    found = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    _tell(found, changes)
    found.save()
    return found


@transaction.atomic
def rotate_secret(*, endpoint: Endpoint, now: datetime) -> tuple[Endpoint, str]:
    """A new secret; for a day everything is signed with the former one too, so that the receiver can change over."""
    found = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    found.former_salt, found.former_until = found.salt, now + OVERLAP
    secret = _new_secret(found)
    found.save(update_fields=["salt", "fingerprint", "former_salt", "former_until"])
    return found, secret


def switch_off(*, endpoint: Endpoint, by: str, now: datetime) -> None:
    """Tell an endpoint nothing more, because somebody says so."""
    disable(endpoint=endpoint, because=_("%(who)s switched it off") % {"who": by}, now=now, is_by_hand=True)


def switch_on(*, endpoint: Endpoint) -> None:
    """Tell it what happens from now on; what happened meanwhile only if somebody asks (`ask_resending`)."""
    Endpoint.objects.filter(pk=endpoint.pk).update(
        disabled_at=None, disabled_because="", failing_since=None, failures=0, paused_until=None
    )


def remove_endpoint(*, endpoint: Endpoint) -> None:
    """Forget an endpoint with everything it was told."""
    Endpoint.objects.filter(pk=endpoint.pk).delete()


def ping(*, endpoint: Endpoint, now: datetime) -> Delivery:
    """Have a test event delivered. It waits for nothing and nothing waits for it."""
    _refuse_off(endpoint)
    return Delivery.objects.create(
        endpoint=endpoint,
        event=f"evt_p{token_hex(12)}",
        type=PING,
        body=body_of(PING, now, {"endpoint": str(endpoint.pk)}),
        due_at=now,
    )


def ask_resending(*, endpoint: Endpoint, since: datetime, by: str, now: datetime) -> Resending:
    """Have everything that the endpoint wants told once more from an instant on, from the logs, in their order and
    under the same ids. It comes after whatever still waits."""
    _refuse_off(endpoint)
    if since > now:
        raise QuestionError("since", _("This instant is still to come."))
    with transaction.atomic():
        Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        if Resending.objects.filter(endpoint=endpoint, done_at=None).exists():
            raise ConflictError(_("It is being told once more already; wait until that is done."))
        announcement, merge = ends()
        return Resending.objects.create(
            endpoint=endpoint,
            since=since,
            asked_by=by[:254],
            asked_at=now,
            until_announcement=announcement,
            until_merge=merge,
        )


def try_again(*, delivery: Delivery, now: datetime) -> None:
    """Deliver one event once more: at once, if it waits; anew, if it is over."""
    _refuse_off(delivery.endpoint)
    waiting = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING)
    if not waiting.update(due_at=now):
        over = Delivery.objects.filter(pk=delivery.pk)
        if not over.update(state=Delivery.State.WAITING, due_at=now, forgiven=F("attempts"), finished_at=None):
            raise NotThereError("there is no such delivery")


def possible_url(url: str) -> str:
    """An address that may be told, as it is kept; QuestionError for any other."""
    try:
        parse_target(url.strip(), allowed=allowed_networks())
    except UnreachableError as error:
        raise QuestionError("url", _(str(error))) from None
    return url.strip()


def _refuse_off(endpoint: Endpoint) -> None:
    if endpoint.disabled_at is not None:
        raise ConflictError(_("This webhook is switched off. Switch it on first."))


def _new_secret(endpoint: Endpoint) -> str:
    endpoint.salt = new_salt()
    secret = secret_of(endpoint.salt)
    endpoint.fingerprint = fingerprint(secret)
    return secret


def _tell(endpoint: Endpoint, changes: Mapping[str, Any]) -> None:
    faults = Faults()
    for field, value in changes.items():
        with faults.noted():
            _tell_one(endpoint, field, value)
    faults.refuse()


def _tell_one(endpoint: Endpoint, field: str, value: Any) -> None:
    match field:
        case "url":
            endpoint.url = possible_url(value)
        case "description":
            if len(value) > LONGEST_DESCRIPTION or not value.replace(" ", "a").isprintable():
                raise QuestionError("description", _("Say in a few words what it is for."))
            endpoint.description = value.strip()
        case "events":
            endpoint.events = _some_of("events", value, list(TYPES), _("There is no event “%(key)s”."))
            if not endpoint.events:
                raise QuestionError("events", _("Choose at least one event."))
        case "model_keys":
            said = _("There is no stage model “%(key)s”.")
            endpoint.model_keys = _some_of("model_keys", value, list(known_names()[0]), said)
        case "segment_keys":
            said = _("There is no segment “%(key)s”.")
            endpoint.segment_keys = _some_of("segment_keys", value, list(known_names()[1]), said)
        case "takes_history":
            endpoint.takes_history = bool(value)
        case _:
            raise QuestionError(field, _("This cannot be changed."))


def _some_of(field: str, chosen: Sequence[str], known: Sequence[str], said: str) -> list[str]:
    for key in chosen:
        if key not in known:
            raise QuestionError(field, said % {"key": key[:60]})
    return [key for key in known if key in chosen]

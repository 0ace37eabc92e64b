"""Write keys: what a client library shows to be let in. Only a hash is kept. A source has one key, and for a while
after a rotation the former one as well, so that clients can be given the new one without losing what they send."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, QuestionError
from customers.keeping import folded_text
from customers.models import Source

LONGEST_NAME = 100
GRACE = timedelta(hours=24)
KIND = "api"


def hashed(key: str) -> str:
    """What is kept of a write key: it carries 192 random bits, so one plain SHA-256 is enough."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _new_key() -> str:
    return "wk_" + secrets.token_urlsafe(24)


@transaction.atomic
def create_source(*, name: str, currency: str = "") -> tuple[Source, str]:
    """A source that client libraries send to, and its write key, which is shown once and never kept."""
    said = folded_text(name, field="name", longest=LONGEST_NAME)
    if not said:
        raise QuestionError("name", _("Say what will send: a website, an app, a server."))
    stem = slugify(said)[:50] or "source"
    taken = set(Source.objects.filter(key__startswith=stem).values_list("key", flat=True))
    key = next(
        one for number in range(1, len(taken) + 2) if (one := stem if number == 1 else f"{stem}-{number}") not in taken
    )
    secret = _new_key()
    source = Source.objects.create(key=key, name=said, kind=KIND, currency=currency, write_key_hash=hashed(secret))
    return source, secret


@transaction.atomic
def rotate_key(*, source: Source, now: datetime, grace: timedelta = GRACE) -> str:
    """Another write key. The former one opens until `grace` has passed; a source that was closed is open again."""
    found = _locked(source)
    secret = _new_key()
    if found.write_key_hash and found.revoked_at is None and grace > timedelta():
        found.former_key_hash, found.former_key_until = found.write_key_hash, now + grace
    else:
        found.former_key_hash, found.former_key_until = "", None
    found.write_key_hash, found.revoked_at = hashed(secret), None
    found.save(update_fields=["write_key_hash", "former_key_hash", "former_key_until", "revoked_at"])
    return secret


@transaction.atomic
def revoke_keys(*, source: Source, now: datetime) -> Source:
    """Close a source to whoever sends; what it sent stays."""
    found = _locked(source)
    if found.revoked_at is not None:
        return found
    found.revoked_at, found.former_key_hash, found.former_key_until = now, "", None
    found.save(update_fields=["revoked_at", "former_key_hash", "former_key_until"])
    return found


def _locked(source: Source) -> Source:
    found = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    if found.kind != KIND:
        raise ConflictError(_("This source is not one that client libraries send to."))
    return found

"""Signatures of what we send, as Standard Webhooks describes them: HMAC-SHA256 over id, timestamp and body.

An endpoint's secret is not kept anywhere. It is an HMAC of a random salt, kept with the endpoint, under the key of this
installation (SECRET_KEY): a copy of the database alone tells no secret, nor does the key alone. A fingerprint tells
whether the key is still the one the secret was made under; keys in SECRET_KEY_FALLBACKS are tried too."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

from django.conf import settings


class KeyChangedError(RuntimeError):
    """The installation's key is another one than when the secret was made: it has to be made anew."""


def new_salt() -> str:
    """A salt for a new secret."""
    return secrets.token_hex(32)


def fingerprint(secret: str) -> str:
    """By which a secret is known again, and from which nothing can be learnt."""
    return hashlib.sha256(f"fingerprint {secret}".encode()).hexdigest()[:16]


def secret_of(salt: str, known: str = "") -> str:
    """The secret that a salt stands for, as receivers write it: whsec_ and 32 bytes in base64. `known`: its
    fingerprint; KeyChangedError when no key of this installation makes that secret."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        digest = hmac.new(str(key).encode(), f"clm.webhooks {salt}".encode(), hashlib.sha256).digest()
        secret = f"whsec_{base64.b64encode(digest).decode()}"
        if not known or hmac.compare_digest(fingerprint(secret), known):
            return secret
    raise KeyChangedError


def signature(*, secret: str, event: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the signature in base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def headers(*, secrets: list[str], event: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt; with two secrets (one is being replaced) two signatures."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": event,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            signature(secret=secret, event=event, timestamp=timestamp, body=body) for secret in secrets
        ),
        "Content-Type": "application/json",
        "User-Agent": "CLM-Webhooks/1",
    }

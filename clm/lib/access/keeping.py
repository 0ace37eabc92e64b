"""Acts of admins who decide who may come in: users and the keys of machines."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, QuestionError

from .models import ApiKey, Role, User

CHANGEABLE = ("email", "name", "role", "time_zone", "is_active", "password")
LONGEST_NAME, LONGEST_KEY_NAME, LONGEST_PASSWORD = 150, 100, 200


@transaction.atomic
def create_user(*, email: str, role: str, name: str = "", time_zone: str = "UTC", password: str | None = None) -> User:
    """A new user. Without a password nobody can log in until one is set by the page "forgot your password"."""
    user = User(role=_role(role))
    user.set_unusable_password()
    _tell(user, {"email": email, "name": name, "time_zone": time_zone})
    if password is not None:
        _tell(user, {"password": password})
    user.save()
    return user


@transaction.atomic
def change_user(*, user: User, changes: Mapping[str, Any]) -> User:
    """Change a user. An installation keeps one admin who can log in: the last one can be neither demoted nor
    deactivated, not even by himself. A new password ends that user's sessions."""
    # All admins are locked, in order: two who demote each other at once must not both succeed.
    admins = set(
        User.objects.select_for_update(no_key=True)
        .filter(role=Role.ADMIN, is_active=True)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _tell(user, changes)
    if admins == {user.pk} and not (user.role == Role.ADMIN and user.is_active):
        raise ConflictError(_("This is the last admin. Make somebody else an admin first."))
    user.save()
    return user


@transaction.atomic
def issue_key(*, name: str, role: str) -> tuple[ApiKey, str]:
    """A new key and its secret, which is told once and never kept."""
    return ApiKey.issue(name=_text(name, "name", LONGEST_KEY_NAME), role=_role(role))


@transaction.atomic
def change_key(*, key: ApiKey, changes: Mapping[str, str]) -> ApiKey:
    """Give a key another name or role; a revoked key stays as it was."""
    key = ApiKey.objects.select_for_update(no_key=True).get(pk=key.pk)
    if key.revoked_at is not None:
        raise ConflictError(_("This key is revoked; make a new one."))
    if "name" in changes:
        key.name = _text(changes["name"], "name", LONGEST_KEY_NAME)
    if "role" in changes:
        key.role = _role(changes["role"])
    key.save()
    return key


@transaction.atomic
def revoke_key(*, key: ApiKey, now: datetime) -> ApiKey:
    """From now on the key opens nothing; revoking it again changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    key.refresh_from_db()
    return key


def _tell(user: User, changes: Mapping[str, Any]) -> None:
    for field, value in changes.items():
        match field:
            case "email":
                user.email = _email(value, user)
            case "name":
                user.name = _text(value, "name", LONGEST_NAME, may_be_empty=True)
            case "role":
                user.role = _role(value)
            case "time_zone":
                if value not in available_timezones():
                    raise QuestionError("time_zone", _("This is no time zone; write it like Europe/London."))
                user.time_zone = value
            case "is_active":
                user.is_active = bool(value)
            case "password":
                _set_password(user, value)
            case _:
                raise QuestionError(field, _("This cannot be changed."))


def _set_password(user: User, password: str) -> None:
    if len(password) > LONGEST_PASSWORD or not _is_writable(password):
        raise QuestionError("password", _("This password cannot be kept."))
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise QuestionError("password", " ".join(error.messages)) from None
    user.set_password(password)


def _email(text: str, user: User) -> str:
    folded = text.strip().lower()
    try:
        validate_email(folded)
    except ValidationError:
        raise QuestionError("email", _("This is not an e-mail address.")) from None
    if len(folded) > 254 or not _is_writable(folded):
        raise QuestionError("email", _("This is not an e-mail address."))
    if User.objects.filter(email__iexact=folded).exclude(pk=user.pk).exists():
        raise ConflictError(_("Another user has this e-mail address."))
    return folded


def _role(text: str) -> Role:
    if text not in Role.values:
        raise QuestionError("role", _("A role is one of %(roles)s.") % {"roles": ", ".join(Role.values)})
    return Role(text)


def _text(text: str, field: str, longest: int, *, may_be_empty: bool = False) -> str:
    folded = " ".join(text.split())
    if not folded and not may_be_empty:
        raise QuestionError(field, _("This needs a text."))
    if len(folded) > longest:
        raise QuestionError(field, _("At most %(longest)d characters.") % {"longest": longest})
    if not _is_writable(folded):
        raise QuestionError(field, _("This holds a character that cannot be written."))
    return folded


def _is_writable(text: str) -> bool:
    return not any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in text)

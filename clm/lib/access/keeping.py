"""Acts of admins who decide who may come in: users and the keys of machines; and of everybody for oneself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, Faults, QuestionError

from .models import ApiKey, Role, Theme, User

LONGEST_NAME, LONGEST_KEY_NAME, LONGEST_PASSWORD = 150, 100, 200


@transaction.atomic
def create_user(*, email: str, role: str, name: str = "", time_zone: str = "UTC", password: str | None = None) -> User:
    """A new user. Without a password nobody can log in until one is set by the page "forgot your password"."""
    user = User()
    user.set_unusable_password()
    told = {"role": role, "email": email, "name": name, "time_zone": time_zone}
    # The password last: it is held against the name and the address.
    _tell(user, told if password is None else {**told, "password": password})
    user.save()
    return user


@transaction.atomic
def change_user(*, user: User, changes: Mapping[str, Any]) -> User:
    """Change a user. An installation keeps one admin who can log in: the last one can be neither demoted nor
    deactivated, not even by himself. A new password ends that user's sessions; another role takes from the user's own
    keys what it may not do itself."""
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
    if "email" in changes:
        # What the login library remembers of earlier addresses would still let somebody in.
        EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    above = [role for role in Role if not Role(user.role).reaches(role)]
    ApiKey.objects.filter(owner=user, revoked_at=None, role__in=above).update(role=user.role)
    return user


@transaction.atomic
def issue_key(*, name: str, role: str, owner: User | None = None) -> tuple[ApiKey, str]:
    """A new key and its secret, which is told once and never kept. With an `owner` it is that person's own and reaches
    no further than the owner's role; without one it is the installation's."""
    faults = Faults()
    with faults.noted():
        name = possible_key_name(name)
    with faults.noted():
        role = _role_within(role, owner)
    faults.refuse()
    return ApiKey.issue(name=name, role=role, owner=owner)


@transaction.atomic
def change_key(*, key: ApiKey, changes: Mapping[str, str]) -> ApiKey:
    """Give a key another name or role; a revoked key stays as it was."""
    faults = Faults()
    role = None
    if "role" in changes:
        # The owner is locked before the key, as in `change_user`.
        with faults.noted():
            role = _role_within(changes["role"], key.owner)
    key = ApiKey.objects.select_for_update(no_key=True).get(pk=key.pk)
    if key.revoked_at is not None:
        raise ConflictError(_("This key is revoked; make a new one."))
    if "name" in changes:
        with faults.noted():
            key.name = possible_key_name(changes["name"])
    faults.refuse()
    if role is not None:
        key.role = role
    key.save(update_fields=["name", "role"])
    return key


@transaction.atomic
def revoke_key(*, key: ApiKey, now: datetime) -> ApiKey:
    """From now on the key opens nothing; revoking it again changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    key.refresh_from_db()
    return key


def user_of(email: str, *, other_than: int | None = None) -> User | None:
    """Who has this e-mail address, whatever its case."""
    found = User.objects.filter(email__iexact=email.strip())
    return (found if other_than is None else found.exclude(pk=other_than)).first()


def _tell(user: User, changes: Mapping[str, Any]) -> None:
    """Write what was told into `user`. Every fault is told at once; a taken address only when nothing else is wrong."""
    faults = Faults()
    for field, value in changes.items():
        with faults.noted():
            _tell_one(user, field, value)
    faults.refuse()
    if "email" in changes and user_of(user.email, other_than=user.pk) is not None:
        raise ConflictError(_("Another user has this e-mail address."))


def _tell_one(user: User, field: str, value: Any) -> None:
    match field:
        case "email":
            user.email = possible_email(value)
        case "name":
            user.name = possible_name(value)
        case "role":
            user.role = _role(value)
        case "time_zone":
            if value not in available_timezones():
                raise QuestionError("time_zone", _("This is no time zone; write it like Europe/London."))
            user.time_zone = value
        case "theme":
            if value not in Theme.values:
                raise QuestionError("theme", _("A theme is light or dark, or empty for what the system says."))
            user.theme = value
        case "is_active":
            user.is_active = bool(value)
        case "password":
            _set_password(user, value)
        case _:
            raise QuestionError(field, _("This cannot be changed."))


def _set_password(user: User, password: str) -> None:
    possible_password(password, user)
    user.set_password(password)


def possible_password(password: str, user: User) -> None:
    """QuestionError for a password that `user` may not have."""
    if len(password) > LONGEST_PASSWORD or not _is_writable(password):
        raise QuestionError("password", _("This password cannot be kept."))
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise QuestionError("password", " ".join(error.messages)) from None


def possible_name(text: str) -> str:
    """A person's name as it is kept, which may be empty; QuestionError for what cannot be one."""
    return _text(text, "name", LONGEST_NAME, may_be_empty=True)


def possible_key_name(text: str) -> str:
    """What a key is for, as it is kept; QuestionError for what says nothing."""
    return _text(text, "name", LONGEST_KEY_NAME)


def possible_email(text: str) -> str:
    """An e-mail address as it is kept; QuestionError for what is none."""
    folded = text.strip().lower()
    try:
        validate_email(folded)
    except ValidationError:
        raise QuestionError("email", _("This is not an e-mail address.")) from None
    if len(folded) > 254 or not _is_writable(folded):
        raise QuestionError("email", _("This is not an e-mail address."))
    return folded


def _role(text: str) -> Role:
    if text not in Role.values:
        raise QuestionError("role", _("A role is one of %(roles)s.") % {"roles": ", ".join(Role.values)})
    return Role(text)


def _role_within(text: str, owner: User | None) -> Role:
    """The role of that name, which `owner`'s own must reach; the owner's row is locked, so that it stays so."""
    role = _role(text)
    if owner is not None:
        own = Role(User.objects.select_for_update(no_key=True).get(pk=owner.pk).role)
        if not own.reaches(role):
            said = _("A key of one's own reaches as far as one's own role, which is %(role)s.") % {"role": own.label}
            raise QuestionError("role", said)
    return role


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

"""The first users of an installation: made once, with random passwords that only the owner of its data can read."""

import secrets
from pathlib import Path

from django.db import transaction

from .models import Role, User

ADMIN = "admin@clm.example"


def make_first_users(
    *, wanted: list[tuple[Role, str, str]], time_zone: str, logins: Path
) -> list[tuple[str, str, str]]:
    """Make `wanted` (role, e-mail address, name) if there is no user yet: (role, address, password) of each. The
    passwords are told once and kept in the file `logins`, mode 0600."""
    with transaction.atomic():
        if User.objects.exists():
            return []
        made = [(role.value, email, secrets.token_urlsafe(9)) for role, email, _name in wanted]
        text = "".join(f"{role:9} {email:24} {password}\n" for role, email, password in made)
        logins.parent.mkdir(parents=True, exist_ok=True)
        logins.touch(mode=0o600)
        logins.chmod(0o600)
        logins.write_text(text)
        for (role, email, password), (_role, _email, name) in zip(made, wanted, strict=True):
            User.objects.create_user(email, password, role=role, name=name, time_zone=time_zone)
    return made


def make_admin(*, time_zone: str, logins: Path) -> bool:
    """One admin for an installation without users; whether it was made."""
    return bool(make_first_users(wanted=[(Role.ADMIN, ADMIN, "Admin")], time_zone=time_zone, logins=logins))

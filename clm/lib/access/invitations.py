"""Links by which somebody chooses a password: for a new user, or for one who cannot get in. A link works once and for
some days; whether it travels by mail depends on whether this installation can send any."""

from collections.abc import Callable

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from .models import User

SILENT = ("console", "dummy")


def sends_mail() -> bool:
    """Whether mail leaves this machine at all: without EMAIL_URL it is only printed."""
    return settings.EMAIL_BACKEND.split(".")[-2] not in SILENT


def days_valid() -> int:
    """For how many days a link works."""
    return int(settings.PASSWORD_RESET_TIMEOUT // 86_400)


def password_link(*, user: User, absolute: Callable[[str], str]) -> str:
    """The address at which `user` chooses a password; `absolute` puts the scheme and the host before a path. Whoever
    opens it can come in as that user, until a password is chosen."""
    key = default_token_generator.make_token(user)
    return absolute(reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key}))


def send_link(*, user: User, link: str, organisation: str, invited_by: str) -> None:
    """Send the link to the user's address; raises OSError when the mail server does not take it."""
    told = {"user": user, "link": link, "organisation": organisation, "invited_by": invited_by, "days": days_valid()}
    subject = _("Your access to %(organisation)s") % {"organisation": organisation}
    send_mail(" ".join(subject.split()), render_to_string("mail/password_link.txt", told), None, [user.email])

"""Asking for a link to set a new password. Where no mail server is set up none can be sent, and that is said."""

from typing import Any

from allauth.account.forms import ResetPasswordForm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Backends of Django that deliver nothing to anybody.
_NOWHERE = ("dummy", "console")


class AskForLink(ResetPasswordForm):
    @property
    def can_send(self) -> bool:
        """Whether the page offers the form at all."""
        return sends_mail()

    def clean(self) -> Any:
        if not sends_mail():
            raise ValidationError(_("No mail server is set up here, so no link can be sent."))
        return super().clean()


def sends_mail() -> bool:
    """Whether mail leaves this installation (EMAIL_URL)."""
    return settings.EMAIL_BACKEND.split(".")[-2] not in _NOWHERE

"""Where an act that drafts a change leads: to the change, where it is looked at, published or dropped."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, QuestionError
from lifecycle.models import Revision
from lifecycle.rules.document import RuleError


def to_change(request: HttpRequest, revision: Revision) -> HttpResponse:
    """The answer of an act that drafted a revision."""
    messages.success(request, _("Drafted. Nothing changes for anybody until you publish it."))
    return redirect("change", revision.pk)


def change_address(revision: int | None) -> str:
    """Where a revision is shown, "" for none."""
    return "" if revision is None else reverse("change", args=[revision])


def refused(request: HttpRequest, error: Exception, *, back: str) -> HttpResponse:
    """The answer of a button whose act was refused: back to where it stands, with the reason."""
    said: Any = error.message if isinstance(error, QuestionError | RuleError) else str(error)
    messages.error(request, said)
    return redirect(back)


REFUSALS = (QuestionError, ConflictError, RuleError)

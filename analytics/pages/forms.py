"""What the forms of pages share: faults beside their fields, all of them at once, and one page that asks before an act
which takes something away."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib.access.kept_answers import Answer, answered_once, fingerprint, whose
from clm.lib.problems import Conflict
from clm.lib.questions import ConflictError, QuestionError
from customers.ingest import clock

# What a field for a number says, in this program's words, of one that is too small or too large.
LIMITS = {
    "min_value": gettext_lazy("This must be at least %(limit_value)s."),
    "max_value": gettext_lazy("This must be at most %(limit_value)s."),
}


def beside(form: forms.Form, error: QuestionError | ConflictError) -> None:
    """Say each fault beside its field; what belongs to none, or to one that has said something already, above them."""
    if isinstance(error, ConflictError):
        form.add_error(None, str(error))
        return
    for one in error.errors:
        message: str = one.message
        if one.customer is not None:
            where = reverse("customer", args=[one.customer])
            message = leading_to(message, url=where, link=_("Open that customer"))
        form.add_error(one.field if one.field in form.fields else None, message)


def by_rule(check: Callable[[Any], object]) -> Callable[[Any], None]:
    """A validator of a field that asks a rule of the acts. So a fault of one field is told together with those of the
    others, also where one of them cannot even be read."""

    def validate(value: Any) -> None:
        try:
            check(value)
        except QuestionError as error:
            raise forms.ValidationError(error.message) from None

    return validate


def status(form: forms.BaseForm) -> int:
    """What a page with this form is answered with."""
    return 422 if form.is_bound and form.errors else 200


def leading_to(message: str, *, url: str, link: str) -> SafeString:
    """A fault with the way out of it: the message, and a link."""
    return format_html('{} <a href="{}">{}</a>', message, url, link)


@dataclass(frozen=True, slots=True)
class Crumb:
    """A page above this one."""

    url: str
    label: str


def confirm(
    request: HttpRequest,
    *,
    title: str,
    consequences: Sequence[str],
    button: str,
    back: str,
    crumbs: Sequence[Crumb],
    is_harmless: bool = False,
    error: str = "",
    sends: Mapping[str, str] | None = None,
    refusal: str = "",
) -> HttpResponse:
    """The page that names what will happen before it does; its form posts `sends` to the same address. refusal: why it
    cannot be done at all, said in place of what would happen and of the button."""
    context = {
        "title": title,
        "consequences": consequences,
        "button": button,
        "back": back,
        "crumbs": crumbs,
        "is_harmless": is_harmless,
        "error": error,
        "sends": (sends or {}).items(),
        "refusal": refusal,
    }
    return render(request, "pages/confirm.html", context, status=409 if error else 200)


def made_once(request: HttpRequest, *, form_id: UUID, make: Callable[[], int]) -> tuple[int, bool]:
    """What a form makes is made once, however often it is sent (a reload, a double click): the id that `make` answers,
    and whether it was made now. `form_id`: a hidden field of the form, another one on each page."""

    def act() -> Answer:
        return Answer(status=201, body=str(make()).encode())

    try:
        answer, is_kept = answered_once(
            whose=whose(request.user),  # type: ignore[arg-type]
            key=f"form-{form_id}",
            fingerprint=fingerprint(request.path),
            now=clock(),
            act=act,
            refused=lambda _error: None,
        )
    except Conflict:
        raise ConflictError(_("This was sent twice at once; look whether it is done, and try again if not.")) from None
    return int(answer.body), not is_kept

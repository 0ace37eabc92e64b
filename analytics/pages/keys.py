"""API keys: those of the installation and of everybody for admins, one's own for everybody. The secret of a new key is
shown on the answer to its form and nowhere else."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.row_pages import row_page
from clm.lib.access.keeping import issue_key, possible_key_name, revoke_key
from clm.lib.access.models import ApiKey, Role, User
from clm.lib.questions import ConflictError, NotThereError, QuestionError

from .asking import page
from .forms import Crumb, beside, by_rule, confirm, made_once, status
from .users import Filter, rights

STATES = ("used", "unused", "revoked")


class KeyForm(forms.Form):
    """A new key. `form_id` makes sending the form twice harmless."""

    name = forms.CharField(
        label=gettext_lazy("What it is for"),
        validators=[by_rule(possible_key_name)],
        help_text=gettext_lazy("So that you know later what stops when it is revoked, like “till of the shop”."),
        error_messages={"required": gettext_lazy("Say what this key is for.")},
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        widget=forms.RadioSelect,
        help_text=gettext_lazy("What it may do. Take the smallest that is enough."),
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *arguments: Any, within: Role = Role.ADMIN, **options: Any) -> None:
        super().__init__(*arguments, **options)
        field: Any = self.fields["role"]
        field.choices = [(role.value, role.label) for role in Role if within.reaches(role)]


@page("users.manage", takes=("role", "state", "cursor"))
def keys(request: HttpRequest, *, now: datetime) -> HttpResponse:
    role, state = request.GET.get("role", ""), request.GET.get("state", "")
    if role and role not in Role.values:
        raise QuestionError("role", _("There is no such role."))
    if state and state not in STATES:
        raise QuestionError("state", _("Keys are used, unused or revoked."))
    in_use = Q(revoked_at=None)
    shown = {
        "": in_use,
        "used": in_use & Q(last_used_at__isnull=False),
        "unused": in_use & Q(last_used_at=None),
        "revoked": ~in_use,
    }
    counts = ApiKey.objects.aggregate(
        **{key or "all": Count("pk", filter=condition) for key, condition in shown.items()},
        **{one: Count("pk", filter=in_use & Q(role=one)) for one in Role.values},
    )
    found = ApiKey.objects.filter(shown[state], **({"role": role} if role else {})).select_related("owner")
    shown_page = row_page(found, order=("-pk",), cursor=request.GET.get("cursor") or None)
    labels = {"": _("In use"), "used": _("Used"), "unused": _("Never used"), "revoked": _("Revoked")}
    return render(
        request,
        "pages/keys.html",
        {
            "now": now,
            "keys": shown_page.rows,
            "page": shown_page,
            "matching": None if shown_page.is_whole else found.count(),
            "states": [Filter(key, str(labels[key]), counts[key or "all"], key == state) for key in shown],
            "roles": [Filter(one, str(Role(one).label), counts[one], one == role) for one in Role.values],
            "any": ApiKey.objects.exists(),
            "role": role,
            "state": state,
            **rights(),
        },
    )


@page("users.manage")
def key_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """A key of the installation's own: it goes on working whoever comes and goes."""
    return _made(request, owner=None, within=Role.ADMIN, back=Crumb(reverse("keys"), _("API keys")))


@page("account.own")
def account_key_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    """A key of one's own, which reaches as far as one's own role."""
    owner = _person(request)
    return _made(request, owner=owner, within=Role(owner.role), back=Crumb(reverse("account"), _("Your account")))


@page("users.manage")
def key_revoke(request: HttpRequest, key_id: int, *, now: datetime) -> HttpResponse:
    found = ApiKey.objects.select_related("owner").filter(pk=key_id).first()
    return _revoked(request, found, now=now, back=Crumb(reverse("keys"), _("API keys")))


@page("account.own")
def account_key_revoke(request: HttpRequest, key_id: int, *, now: datetime) -> HttpResponse:
    found = ApiKey.objects.filter(pk=key_id, owner=_person(request)).first()
    return _revoked(request, found, now=now, back=Crumb(reverse("account"), _("Your account")))


def _made(request: HttpRequest, *, owner: User | None, within: Role, back: Crumb) -> HttpResponse:
    form = KeyForm(request.POST or None, within=within, initial={"role": Role.VIEWER})
    if request.method == "POST" and form.is_valid():
        told, secrets = form.cleaned_data, []

        def make() -> int:
            key, secret = issue_key(name=told["name"], role=told["role"], owner=owner)
            secrets.append(secret)
            return int(key.pk)

        try:
            number, is_new = made_once(request, form_id=told["form_id"], make=make)
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            if not is_new:
                said = _("This key was made already, and its secret is shown only once. Revoke it if it got lost.")
                messages.warning(request, said)
                return redirect(back.url)
            context = {"key": ApiKey.objects.get(pk=number), "secret": secrets[0], "crumbs": [back], "back": back}
            answer = render(
                request, "pages/key_made.html", {**context, "example": _example(request, secrets[0])}, status=201
            )
            answer["Cache-Control"] = "no-store"
            return answer
    context = {"form": form, "crumbs": [back], "back": back, "owner": owner, **rights()}
    return render(request, "pages/key_form.html", context, status=status(form))


def _example(request: HttpRequest, secret: str) -> str:
    return f'curl -H "Authorization: Bearer {secret}" {request.build_absolute_uri(reverse("api_me"))}'


def _revoked(request: HttpRequest, found: ApiKey | None, *, now: datetime, back: Crumb) -> HttpResponse:
    if found is None:
        raise NotThereError("there is no such key")
    if request.method == "POST":
        revoke_key(key=found, now=now)
        messages.success(request, _("“%(name)s” is revoked.") % {"name": found.name})
        return redirect(back.url)
    if found.revoked_at is not None:
        messages.info(request, _("“%(name)s” was revoked already.") % {"name": found.name})
        return redirect(back.url)
    used = _("It was never used.") if found.last_used_at is None else _("It was used; whatever uses it stops working.")
    return confirm(
        request,
        title=_("Revoke “%(name)s”?") % {"name": found.name},
        consequences=[used, _("It opens nothing from now on, and cannot be brought back; make a new one instead.")],
        button=_("Revoke"),
        back=back.url,
        crumbs=[back],
    )


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # pages know people only
    return request.user

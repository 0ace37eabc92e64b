"""Who may sign in: the people, their roles, and links by which they choose a password."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.row_pages import row_page
from clm.lib.access.invitations import days_valid, password_link, send_link, sends_mail
from clm.lib.access.keeping import (
    change_user,
    create_user,
    possible_email,
    possible_name,
    possible_password,
    user_of,
)
from clm.lib.access.models import ApiKey, Role, User
from clm.lib.access.table import TABLE
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.models import Installation

from .asking import page
from .forms import Crumb, beside, by_rule, confirm, leading_to, status

ORDER = ("-is_active", "name", "email", "pk")
STATES = ("active", "off")
# Entries of the zone data that stand for no place.
NO_PLACE = frozenset({"Factory", "localtime"})


def zones() -> list[tuple[str, str]]:
    """The time zones of the world as choices, by their names."""
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if name not in NO_PLACE]


class UserForm(forms.Form):
    """What an admin knows of a user. The rules for each value are those of `clm.lib.access.keeping`."""

    name = forms.CharField(label=gettext_lazy("Name"), required=False, validators=[by_rule(possible_name)])
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        validators=[by_rule(possible_email)],
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("What this person signs in with."),
        error_messages={"required": gettext_lazy("Everybody signs in with an e-mail address of their own.")},
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, widget=forms.RadioSelect)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=zones,
        help_text=gettext_lazy("Times on pages are shown in it; days of figures stay those of the installation."),
    )

    def __init__(self, *arguments: Any, user: User | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.user = user

    def clean_email(self) -> str:
        """The address, unless somebody else has it."""
        email: str = self.cleaned_data["email"]
        taken = user_of(email, other_than=self.user.pk if self.user else None)
        if taken is not None:
            said = _("%(who)s has this address.") % {"who": taken}
            link = _("Go there") if taken.is_active else _("That user is deactivated; go there to let them in again")
            raise forms.ValidationError(leading_to(said, url=reverse("user", args=[taken.pk]), link=link))
        return email


class NewUserForm(UserForm):
    """A new user chooses a password by a link, or is told a first one."""

    way = forms.ChoiceField(label=gettext_lazy("How this person gets in"), widget=forms.RadioSelect, initial="link")
    password = forms.CharField(
        label=gettext_lazy("First password"),
        required=False,
        strip=False,
        # Kept when something else was wrong: it is told to somebody, so the admin must see what it is.
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "At least 10 characters. Only where you choose to tell one; change it at first sign-in."
        ),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        link = _("Send an invitation by mail") if sends_mail() else _("Show me a link to pass on")
        way: Any = self.fields["way"]
        way.choices = [("link", link), ("password", _("Tell a first password"))]

    def clean(self) -> dict[str, Any]:
        """A password is needed where one is to be told."""
        told = super().clean() or self.cleaned_data
        if told.get("way") == "password" and not told.get("password"):
            self.add_error("password", _("Write the first password here, or choose the link above."))
        elif told.get("way") == "password":
            about = User(email=told.get("email", ""), name=told.get("name", ""))
            try:
                possible_password(told["password"], about)
            except QuestionError as error:
                self.add_error("password", error.message)
        return told


@dataclass(frozen=True, slots=True)
class Filter:
    """One choice of a row of filters: the parameter's value, and how many it shows."""

    key: str
    label: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Right:
    """What a permission lets one do, and for each role in order whether it has it."""

    label: str
    roles: tuple[bool, ...]


@page("users.manage", takes=("search", "role", "state", "cursor"))
def users(request: HttpRequest, *, now: datetime) -> HttpResponse:
    found, role, state = _asked(request.GET)
    with_keys = found.annotate(keys_in_use=Count("keys", filter=Q(keys__revoked_at=None)))
    shown = row_page(with_keys, order=ORDER, cursor=request.GET.get("cursor") or None)
    everybody = User.objects.aggregate(
        all=Count("pk"),
        off=Count("pk", filter=Q(is_active=False)),
        **{one: Count("pk", filter=Q(role=one, is_active=True)) for one in Role.values},
    )
    return render(
        request,
        "pages/users.html",
        {
            "now": now,
            "users": shown.rows,
            "page": shown,
            "matching": None if shown.is_whole else found.count(),
            "search": request.GET.get("search", ""),
            "everybody": everybody["all"],
            "roles": [Filter(one, str(Role(one).label), everybody[one], one == role) for one in Role.values],
            "off": everybody["off"],
            "role": role,
            "state": state,
            **rights(),
        },
    )


@page("users.manage")
def user_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    zone = Installation.current().time_zone
    form = NewUserForm(request.POST or None, initial={"role": Role.VIEWER, "time_zone": zone})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        password = told["password"] if told["way"] == "password" else None
        try:
            made = create_user(**{key: told[key] for key in ("email", "role", "name", "time_zone")}, password=password)
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            if password is None:
                return _with_link(request, made)
            messages.success(request, _("%(who)s can sign in now.") % {"who": made})
            return redirect("user", made.pk)
    context = {"form": form, "crumbs": _above(), **rights()}
    return render(request, "pages/user_form.html", context, status=status(form))


@page("users.manage")
def user(request: HttpRequest, user_id: int, *, now: datetime) -> HttpResponse:
    found = _user(user_id)
    known = {"name": found.name, "email": found.email, "role": found.role, "time_zone": found.time_zone}
    form = UserForm(request.POST or None, initial=known, user=found)
    if request.method == "POST" and form.is_valid():
        try:
            change_user(user=found, changes={key: form.cleaned_data[key] for key in form.changed_data})
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved.") if form.changed_data else _("Nothing was different."))
            return redirect("user", found.pk)
    context = {
        "now": now,
        "form": form,
        "found": found,
        "keys": ApiKey.objects.filter(owner=found, revoked_at=None).order_by("-pk"),
        "crumbs": _above(),
        "sends_mail": sends_mail(),
        **rights(),
    }
    return render(request, "pages/user_form.html", context, status=status(form))


@page("users.manage")
def user_link(request: HttpRequest, user_id: int, *, now: datetime) -> HttpResponse:
    """Another link to choose a password by, for somebody who lost it."""
    found = _user(user_id)
    back = reverse("user", args=[found.pk])
    if not found.is_active:
        messages.error(request, _("%(who)s is deactivated; reactivate first.") % {"who": found})
        return redirect(back)
    if request.method == "POST":
        return _with_link(request, found)
    sent = (
        _("A link is sent to %(email)s.") % {"email": found.email}
        if sends_mail()
        else _("A link is shown to you, once; pass it on to nobody but %(who)s.") % {"who": found}
    )
    return confirm(
        request,
        title=_("A link for %(who)s to choose a password?") % {"who": found},
        consequences=[
            sent,
            _("It works once, and for %(days)d days.") % {"days": days_valid()},
            _("The present password goes on working until a new one is chosen."),
        ],
        button=_("Send the link") if sends_mail() else _("Show the link"),
        back=back,
        crumbs=[*_above(), Crumb(back, str(found))],
        is_harmless=True,
    )


@page("users.manage")
def user_access(request: HttpRequest, user_id: int, *, now: datetime) -> HttpResponse:
    """Shut somebody out, or let in again who was shut out."""
    found = _user(user_id)
    back, error = reverse("user", args=[found.pk]), ""
    if request.method == "POST":
        # The form says which it means: sent twice, it does not do and undo.
        lets_in = request.POST.get("access", "off" if found.is_active else "on") == "on"
        try:
            change_user(user=found, changes={"is_active": lets_in})
        except ConflictError as refused:
            error = str(refused)
        else:
            said = _("%(who)s can sign in again.") if lets_in else _("%(who)s cannot sign in any more.")
            messages.success(request, said % {"who": found})
            return redirect(back)
    keys = ApiKey.objects.filter(owner=found, revoked_at=None).count()
    shut, opened = _("Deactivate %(who)s?") % {"who": found}, _("Let %(who)s in again?") % {"who": found}
    consequences = [
        _("%(who)s is signed out everywhere at once, and cannot sign in.") % {"who": found},
        _("Keys of their own in use: %(count)d. They open nothing until then.") % {"count": keys},
        _("What they did stays, with their name. You can let them in again at any time."),
    ]
    again = [
        _("%(who)s signs in with the password of before, as %(role)s.")
        % {"who": found, "role": found.get_role_display()},
        _("Keys of their own that work again: %(count)d.") % {"count": keys},
    ]
    return confirm(
        request,
        title=shut if found.is_active else opened,
        consequences=consequences if found.is_active else again,
        button=_("Deactivate") if found.is_active else _("Let in again"),
        back=back,
        crumbs=[*_above(), Crumb(back, str(found))],
        is_harmless=not found.is_active,
        error=error,
        sends={"access": "off" if found.is_active else "on"},
    )


def rights() -> dict[str, Any]:
    """What each role may do, as pages print it."""
    rows = [Right(str(label), tuple(role in roles for role in Role)) for roles, label in TABLE.values()]
    return {"rights": sorted(rows, key=lambda row: -sum(row.roles)), "role_names": [role.label for role in Role]}


def _with_link(request: HttpRequest, user: User) -> HttpResponse:
    """Send a link by mail; where none can be sent, or the server refuses it, show it this once."""
    link = password_link(user=user, absolute=request.build_absolute_uri)
    failure = ""
    if sends_mail():
        try:
            send_link(user=user, link=link, organisation=Installation.current().name, invited_by=str(request.user))
        except OSError as error:
            failure = str(error)[:200]
        else:
            messages.success(request, _("A link to choose a password was sent to %(to)s.") % {"to": user.email})
            return redirect("user", user.pk)
    context = {"found": user, "link": link, "failure": failure, "days": days_valid(), "crumbs": _above()}
    answer = render(request, "pages/user_link.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _asked(query: QueryDict) -> tuple[QuerySet[User], str, str]:
    found = User.objects.all()
    role, state = query.get("role", ""), query.get("state", "")
    if role and role not in Role.values:
        raise QuestionError("role", _("There is no such role."))
    if state and state not in STATES:
        raise QuestionError("state", _("Users are active or off."))
    for word in query.get("search", "").replace("\x00", "").split()[:10]:
        found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
    if role:
        found = found.filter(role=role)
    if role or state:
        found = found.filter(is_active=state != "off")
    return found, role, state


def _user(number: int) -> User:
    found = User.objects.filter(pk=number).first()
    if found is None:
        raise NotThereError(f"there is no user {number}")
    return found


def _above() -> list[Crumb]:
    return [Crumb(reverse("users"), _("Users"))]

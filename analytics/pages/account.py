"""One's own account: how one is called, in which zone and look one reads, the password, and one's own keys."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clm.lib.access.keeping import change_user, possible_name
from clm.lib.access.models import ApiKey, Theme, User
from clm.lib.questions import ConflictError, QuestionError

from .asking import page
from .forms import beside, by_rule, status
from .users import rights, zones


class AccountForm(forms.Form):
    """What everybody may change of oneself; the rules are those of `clm.lib.access.keeping`."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        validators=[by_rule(possible_name)],
        help_text=gettext_lazy("Others see it beside what you write down."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=zones,
        help_text=gettext_lazy("Times on pages are shown in it; days of figures stay those of the installation."),
    )
    theme = forms.ChoiceField(
        label=gettext_lazy("Look"),
        required=False,
        choices=Theme.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("For every browser you sign in with. The switch at the top changes it for this one."),
    )


@page("account.own")
def account(request: HttpRequest, *, now: datetime) -> HttpResponse:
    person = request.user
    assert isinstance(person, User)  # pages know people only
    known = {"name": person.name, "time_zone": person.time_zone, "theme": person.theme}
    form = AccountForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        try:
            change_user(user=person, changes={key: form.cleaned_data[key] for key in form.changed_data})
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            messages.success(request, _("Saved.") if form.changed_data else _("Nothing was different."))
            return redirect("account")
    keys = ApiKey.objects.filter(owner=person, revoked_at=None).order_by("-pk")
    context = {"now": now, "form": form, "keys": keys, "person": person, **rights()}
    return render(request, "pages/account.html", context, status=status(form))

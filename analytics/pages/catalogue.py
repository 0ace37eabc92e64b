"""The catalogue's pages: every name that sources sent, one of them, and drafting what it is to mean."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.templatetags.catalogue import READS_NAMES
from analytics.type_catalogue import MAPPED, SORTS, Asked, TypeDetail, type_detail, type_page, waiting
from clm.lib.questions import ConflictError, QuestionError
from customers.mapped_types import LONGEST_PLACE, READS
from customers.models import Role, Source
from lifecycle.mapping import remap

from .asking import page
from .forms import Crumb, beside, status

TAKES = ("search", "role", "mapped", "source", "unseen", "sort", "cursor")
_HELP = {
    "amount": gettext_lazy("Standard: revenue, total, value, or price times quantity."),
    "currency": gettext_lazy("Standard: currency; without one, the source's."),
    "order": gettext_lazy("Standard: order_id."),
    "products": gettext_lazy("Standard: products."),
    "campaign": gettext_lazy("Standard: the campaign that the client library read off the address."),
    "ticket": gettext_lazy("Standard: ticket_id."),
}


class MappingForm(forms.Form):
    """What a name means; the rules are those of `lifecycle.mapping`."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices)
    note = forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For those who read the change later."),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for key in READS:
            self.fields[key] = forms.CharField(
                label=READS_NAMES[key],
                required=False,
                max_length=LONGEST_PLACE,
                help_text=_HELP[key],
                widget=forms.TextInput(
                    attrs={"list": "properties", "autocomplete": "off", "spellcheck": "false", "dir": "ltr"}
                ),
            )
        self.order_fields(["role", *READS, "note"])

    def told(self) -> dict[str, Any]:
        """As `remap` takes it."""
        return {"role": self.cleaned_data["role"], "reads": {key: self.cleaned_data[key] for key in READS}}


@page("overview.view", takes=TAKES)
def catalogue(request: HttpRequest, *, now: datetime) -> HttpResponse:
    query = request.GET
    asked = Asked(
        search=query.get("search", "")[:200],
        role=query.get("role", ""),
        mapped=query.get("mapped", ""),
        source=query.get("source", ""),
        unseen=query.get("unseen") == "1",
        sort=query.get("sort") or "recent",
    )
    found = type_page(asked=asked, cursor_text=query.get("cursor") or None)
    context = {
        "now": now,
        "asked": asked,
        "rows": found.rows,
        "waiting": waiting(),
        "mapped_ways": list(MAPPED.items()),
        "sorts": list(SORTS.items()),
        "roles": Role.choices,
        "sources": list(Source.objects.order_by("name").values_list("key", "name")[:200]),
        "is_narrowed": bool(asked.search or asked.role or asked.mapped or asked.source),
        "next_cursor": found.next_cursor,
        "previous_cursor": found.previous_cursor,
    }
    return render(request, "pages/catalogue.html", context)


@page("overview.view")
def catalogue_type(request: HttpRequest, type_id: int, *, now: datetime) -> HttpResponse:
    found = type_detail(number=type_id)
    context = {"now": now, "crumbs": [_above()], **_shown(found)}
    return render(request, "pages/catalogue_type.html", context)


@page("catalogue.edit")
def catalogue_map(request: HttpRequest, type_id: int, *, now: datetime) -> HttpResponse:
    """Draft what a name means; the change's own page then says what it would do."""
    found = type_detail(number=type_id)
    row = found.row
    form = MappingForm(request.POST or None, initial={"role": row.role, **row.reads})
    if request.method == "POST" and form.is_valid():
        try:
            note = form.cleaned_data["note"].strip()
            revision = remap(mappings={row.name: form.told()}, note=note, author=request.user.pk)
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            return redirect("change", revision.pk)
    crumbs = [_above(), Crumb(reverse("catalogue_type", args=[row.id]), row.name)]
    context = {"now": now, "form": form, "crumbs": crumbs, **_shown(found)}
    return render(request, "pages/catalogue_map.html", context, status=status(form))


def _shown(found: TypeDetail) -> dict[str, Any]:
    return {"type": found.row, "detail": found}


def _above() -> Crumb:
    return Crumb(reverse("catalogue"), _("Catalogue"))

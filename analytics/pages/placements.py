"""Setting a customer's stage by hand, ending that early, and taking it back."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from analytics import customer_record as record
from analytics.customer_figures import names_of
from analytics.sorting import Sorting, live_models
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.models import Customer
from lifecycle.advance import advance_customers
from lifecycle.models import Placement
from lifecycle.place import LONGEST_REASON, end, place, withdraw

from .asking import page

# The fields of the form, by what the act calls them.
_FIELDS = {"model": "stage"}


def _moment_field(label: object, help_text: object) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=label,  # type: ignore[arg-type]
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=help_text,  # type: ignore[arg-type]
    )


class PlaceForm(forms.Form):
    """Which stage of which model, from when until when, and why."""

    stage = forms.ChoiceField(label=gettext_lazy("Stage"))
    from_at = _moment_field(gettext_lazy("From"), gettext_lazy("Empty means now."))
    until_at = _moment_field(gettext_lazy("Until"), gettext_lazy("Empty means until somebody ends it."))
    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: object, models: list[Sorting], **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        field = self.fields["stage"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (model.name, [(f"{model.key}:{stage.key}", stage.name) for stage in model.stages.values()])
            for model in models
        ]


@page("stages.place", takes=("model",))
def customer_place(request: HttpRequest, customer_id: int, *, now: datetime) -> HttpResponse:
    found, survivor = record.found_customer(customer_id)
    if survivor is not None:
        return redirect("customer_place", survivor)
    models = live_models()
    # The model that was looked at comes first.
    models.sort(key=lambda model: model.key != request.GET.get("model"))
    form = PlaceForm(request.POST or None, models=models)
    if request.method == "POST" and form.is_valid() and _placed(form, found, models, author=request.user.pk, now=now):
        advance_customers(customers=[found.pk])
        messages.success(request, _("The stage is set."))
        return redirect("customer", found.pk)
    status = 422 if form.is_bound and form.errors else 200
    context = {"form": form, "customer": found, "known_as": names_of([found])[found.pk]}
    return render(request, "pages/place_form.html", context, status=status)


@require_POST
@page("stages.place")
def customer_placement_end(request: HttpRequest, customer_id: int, placement_id: int, *, now: datetime) -> HttpResponse:
    placed = _of_customer(customer_id, placement_id)
    try:
        end(placement=placed.pk, now=now)
    except (ConflictError, QuestionError) as error:
        messages.error(request, str(error))
    else:
        advance_customers(customers=[customer_id])
        messages.success(request, _("It has ended; the rules decide again."))
    return redirect("customer", customer_id)


@require_POST
@page("stages.place")
def customer_placement_withdraw(
    request: HttpRequest, customer_id: int, placement_id: int, *, now: datetime
) -> HttpResponse:
    placed = _of_customer(customer_id, placement_id)
    try:
        withdraw(placement=placed.pk, now=now)
    except ConflictError as error:
        messages.error(request, str(error))
    else:
        advance_customers(customers=[customer_id])
        messages.success(request, _("It is taken back, as if it had never been."))
    return redirect("customer", customer_id)


def _placed(form: PlaceForm, customer: Customer, models: list[Sorting], *, author: int | None, now: datetime) -> bool:
    told = form.cleaned_data
    model_key, _colon, stage = told["stage"].partition(":")
    (model,) = [one for one in models if one.key == model_key]
    try:
        place(
            customer=customer.pk,
            model=model.id,
            stage=stage,
            reason=told["reason"],
            from_at=told["from_at"],
            until_at=told["until_at"],
            author=author,
            now=now,
        )
    except QuestionError as error:
        field = _FIELDS.get(error.field, error.field)
        form.add_error(field if field in form.fields else None, error.message)
        return False
    return True


def _of_customer(customer: int, placement: int) -> Placement:
    found = Placement.objects.filter(pk=placement, profile__customer=customer).first()
    if found is None:
        raise NotThereError("this customer has no placement of that number")
    return found

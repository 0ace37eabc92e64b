"""The page of one touchpoint: the message that told of it, as it arrived."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.arrived import arrived
from analytics.customer_figures import names_of
from customers.models import Customer
from customers.partitions import KEEP

from .asking import page
from .forms import Crumb


@page("messages.view")
def customer_message(request: HttpRequest, customer_id: int, touchpoint_id: int, *, now: datetime) -> HttpResponse:
    found = arrived(customer=customer_id, touchpoint=touchpoint_id, reader=f"user {request.user.pk}")
    if found.customer != customer_id:
        return redirect("customer_message", found.customer, touchpoint_id)
    known_as = names_of([Customer.objects.get(pk=found.customer)])[found.customer]
    above = [Crumb(reverse("customers"), _("Customers")), Crumb(reverse("customer", args=[found.customer]), known_as)]
    context = {"now": now, "arrived": found, "touchpoint": found.touchpoint, "days": KEEP.days, "crumbs": above}
    answer = render(request, "pages/customer_message.html", context)
    answer["Cache-Control"] = "no-store"
    return answer

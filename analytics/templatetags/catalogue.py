"""The words of the catalogue."""

from django import template
from django.utils.translation import gettext_lazy as _

register = template.Library()

READS_NAMES = {
    "amount": _("Amount"),
    "currency": _("Currency"),
    "order": _("Order"),
    "products": _("Products"),
    "campaign": _("Campaign"),
    "ticket": _("Ticket"),
}
KINDS = {
    "text": _("text"),
    "number": _("number"),
    "boolean": _("yes or no"),
    "list": _("list"),
    "object": _("object"),
    "null": _("empty"),
}


@register.filter
def reads_name(key: str) -> str:
    """What is read from a place of its own, in words."""
    return str(READS_NAMES[key])


@register.filter
def kind_name(key: str) -> str:
    """The kind of a property's value, in words."""
    return str(KINDS[key])

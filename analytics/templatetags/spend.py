"""How pages about spend write amounts as they were entered, and count lines by what they do."""

from decimal import Decimal

from django import template

from campaigns.spend_file import Checked

register = template.Library()


@register.filter
def plain_amount(amount: Decimal | None) -> str:
    """An amount as people type it: 12.50, 1200, 0.0001; None is empty."""
    if amount is None:
        return ""
    whole, _point, places = f"{amount:f}".partition(".")
    places = places.rstrip("0")
    return f"{whole}.{places.ljust(2, '0')}" if places else whole


@register.filter
def does(checked: Checked, what: str) -> int:
    """How many lines of a file do that."""
    return checked.count(what)

"""Taking the dates that somebody chose along into an address."""

from django import template

from analytics.pages.dates import Dates

register = template.Library()


@register.filter
def dated(address: str, dates: Dates) -> str:
    """The address with the dates asked about, whether it has a query or an anchor already or not."""
    path, hash_sign, anchor = address.partition("#")
    return path + (dates.more if "?" in path else dates.query) + hash_sign + anchor

"""What every page needs besides its own answer."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from customers.models import Installation


def frame(request: HttpRequest) -> dict[str, Any]:
    """`reporting`: the reporting currency, read only by pages that print an amount."""
    return {"reporting": SimpleLazyObject(Installation.current)}

"""Who changed what is configured: written beside every entry of its history, whether the change came from a page, from
a machine with a key, or from a command."""

from collections.abc import Callable
from typing import Any

import pghistory
from django.http import HttpRequest, HttpResponse

from .models import ApiKey, User

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def author_of(who: object) -> dict[str, Any]:
    """What an entry says of its author: `author` in words, and the number of the `user` or of the `key`; a person's own
    key names both. Nothing for a stranger."""
    if isinstance(who, ApiKey):
        return {"author": str(who), "key": who.pk, **({"user": who.owner_id} if who.owner_id else {})}
    if isinstance(who, User):
        return {"author": str(who), "user": who.pk}
    return {}


class AuthorMiddleware:
    """Tells the database who is behind what a request changes. Whoever comes with a key is known only once the API has
    looked at it, and is added then (clm.lib.access.authentication)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in READING:
            return self.get_response(request)
        with pghistory.context(url=request.path, **author_of(request.user)):
            return self.get_response(request)

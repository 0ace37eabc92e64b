"""When somebody was last here, and when a key was last used: written at most once in a while, so that a request which
only reads stays one."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from .models import ApiKey, User

SEEN_EVERY, USED_EVERY = timedelta(minutes=5), timedelta(minutes=1)


class LastSeenMiddleware:
    """Notes when a person who is signed in asks for something."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if isinstance(user := request.user, User):
            note_seen(user, now=timezone.now())
        return self.get_response(request)


def note_seen(user: User, *, now: datetime) -> None:
    """Write down that `user` was here, unless that is known already."""
    if user.last_seen_at is None or user.last_seen_at < now - SEEN_EVERY:
        User.objects.filter(pk=user.pk).update(last_seen_at=now)


def note_use(key: ApiKey, *, now: datetime) -> None:
    """Write down that `key` was used, unless that is known already."""
    if key.last_used_at is None or key.last_used_at < now - USED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)

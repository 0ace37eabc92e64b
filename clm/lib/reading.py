"""What many parts of one answer ask for (the installation, the stages of a model, who counts as active) is read once
for each request that only reads: a page of figures would ask for the same ten rows thirty times.

Outside of such a request, and in one that changes something, nothing is remembered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse

Asked = ParamSpec("Asked")
Found = TypeVar("Found")

_READING = frozenset({"GET", "HEAD"})
_read: ContextVar[dict[Any, Any] | None] = ContextVar("read in this request", default=None)


class ReadOnceMiddleware:
    """Opens `reading` around every request that only reads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in _READING:
            return self.get_response(request)
        with reading():
            return self.get_response(request)


@contextmanager
def reading() -> Iterator[None]:
    """Within it what is read `once` is not read again."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def once(read: Callable[Asked, Found]) -> Callable[Asked, Found]:
    """A function that reads, whose answer is remembered by its arguments as long as `reading` lasts. Many are told the
    same answer: nobody changes it."""

    @wraps(read)
    def told(*args: Asked.args, **kwargs: Asked.kwargs) -> Found:
        known = _read.get()
        if known is None:
            return read(*args, **kwargs)
        key = (read, args, tuple(sorted(kwargs.items())))
        if key not in known:
            known[key] = read(*args, **kwargs)
        found: Found = known[key]
        return found

    return told

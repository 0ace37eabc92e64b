"""What many parts of an answer ask for is read once in a request that only reads, and always anew elsewhere."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from clm.lib.reading import ReadOnceMiddleware, once, reading

READ: list[tuple[object, ...]] = []


@once
def number_of(name: str = "", *, doubled: bool = False) -> int:
    READ.append((name, doubled))
    return len(READ)


@pytest.fixture(autouse=True)
def nothing_read() -> None:
    READ.clear()


def test_nothing_is_remembered_outside_of_reading() -> None:
    assert [number_of("a"), number_of("a")] == [1, 2]


def test_within_it_the_same_question_is_read_once() -> None:
    with reading():
        assert [number_of("a"), number_of("b"), number_of("a"), number_of("a", doubled=True)] == [1, 2, 1, 3]
    assert number_of("a") == 4
    with reading():
        assert number_of("a") == 5


@pytest.mark.parametrize(("method", "expected"), [("GET", 1), ("HEAD", 1), ("POST", 2)])
def test_only_requests_that_change_nothing_remember(method: str, expected: int) -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{number_of()} {number_of()}")

    ReadOnceMiddleware(view)(RequestFactory().generic(method, "/"))
    assert len(READ) == expected


def test_what_cannot_be_read_is_tried_again() -> None:
    @once
    def failing() -> int:
        READ.append(())
        raise LookupError

    with reading():
        for _time in range(2):
            with pytest.raises(LookupError):
                failing()
    assert len(READ) == 2

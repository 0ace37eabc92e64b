"""Cursors: opaque, and refused unless they are one of ours."""

import base64

import pytest

from clm.lib.cursors import cursor, parse_cursor
from clm.lib.questions import QuestionError


@pytest.mark.parametrize("numbers", [(0,), (2**63 - 1,), (-5, 7)])
def test_a_cursor_says_what_it_was_given(numbers: tuple[int, ...]) -> None:
    assert parse_cursor(cursor("n", *numbers), kinds="np", count=len(numbers)) == ("n", numbers)


def written(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        *["", "x", "%%%", "\x00", "é", "AAAA", "=" * 50, written("n:1") + "!"],
        *[written(text) for text in ("q:1", "n:1,2", "n:", "n:1x", "n:١", f"n:{2**63}", f"n:-{10**19}")],
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused(text: str) -> None:
    with pytest.raises(QuestionError) as refusal:
        parse_cursor(text, kinds="np", count=1)
    assert refusal.value.field == "cursor"

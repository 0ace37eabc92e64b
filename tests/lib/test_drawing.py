"""Icons and small drawings."""

import re

import pytest

from clm.lib.templatetags.drawing import HEIGHT, WIDTH, points, sparkline, tone
from clm.lib.templatetags.icons import icon


def test_an_icon_is_drawn_without_its_invisible_square_and_is_hidden_from_screen_readers() -> None:
    markup = icon("moon")
    assert "<path" in markup
    assert "M0 0h24v24H0z" not in markup
    assert 'aria-hidden="true"' in markup


def test_a_labelled_icon_is_an_image_with_its_label_escaped() -> None:
    assert 'role="img" aria-label="&lt;up&gt;"' in icon("moon", "<up>")


def test_an_icon_that_is_not_in_the_set_is_an_error_and_no_file_outside_the_set_is_read() -> None:
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")
    with pytest.raises(ValueError, match="not an icon name"):
        icon("../../../README")


def test_a_sparkline_keeps_within_its_box_and_leaves_unknown_values_out() -> None:
    line = points([1, None, 5, 3])
    assert [x for x, _ in line] == [0.0, pytest.approx(WIDTH * 2 / 3), WIDTH]
    assert all(0 <= y <= HEIGHT for _, y in line)
    assert line[1][1] < line[2][1] < line[0][1]


def test_a_flat_sparkline_runs_through_the_middle() -> None:
    assert {y for _, y in points([7, 7, 7])} == {HEIGHT / 2}


def test_one_value_draws_nothing() -> None:
    assert sparkline([4]) == ""
    assert sparkline([None, None]) == ""


def test_a_tone_is_always_the_same_and_within_the_palette() -> None:
    assert tone(12) == tone("12")
    assert all(re.fullmatch(r"stage-[1-7]", tone(n)) for n in range(100))

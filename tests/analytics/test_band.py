"""The stage band: where spells lie on the line of a life."""

import datetime as dt
import re
from itertools import pairwise
from types import SimpleNamespace as Row

import pytest

from analytics.pages.band import DrawnBand, drawn_band

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
RETENTION = Row(key="retention", name="Retention", position=5, is_exit=False)
LAPSED = Row(key="lapsed", name="Lapsed", position=8, is_exit=False)
DAY = dt.timedelta(days=1)


def life(*spells: tuple[object, float, float | None], coming: object = None) -> Row:
    return Row(
        model=Row(key="seven", name="Seven stages"),
        spells=[Row(stage=s, entered=NOW - a * DAY, left=None if b is None else NOW - b * DAY) for s, a, b in spells],
        next=coming,
        hands=(),
    )


def band(one: Row, *, days: float = 100, **more: object) -> DrawnBand:
    return drawn_band(lives=[one], life_start=NOW - days * DAY, now=NOW, **more)


def places(drawn: DrawnBand) -> list[tuple[float, float]]:
    return [(float(s.start_percent[:-1]), float(s.width_percent[:-1])) for s in drawn.lines[0].spells]


def test_spells_fill_the_line_in_proportion_to_their_length() -> None:
    drawn = band(life((RETENTION, 100, 40), (LAPSED, 40, None)))
    assert places(drawn) == [(0.0, 60.0), (60.0, 40.0)]
    assert drawn.now_percent == "100.000%"
    assert not drawn.sees_ahead


def test_the_next_change_is_drawn_beyond_today_and_named() -> None:
    drawn = band(life((RETENTION, 100, None), coming=Row(at=NOW + 10 * DAY, stage=LAPSED)))
    now, until, after = drawn.lines[0].spells
    assert (now.ahead, until.ahead, after.ahead) == (False, True, True)
    assert until.sentence == "Retention until 30 Nov 2026, if nothing else happens"
    assert after.sentence == "Lapsed from 30 Nov 2026, if nothing else happens"
    assert sum(width for _, width in places(drawn)) == pytest.approx(100, abs=0.01)


def test_what_lies_ahead_of_a_customer_just_met_bears_the_name_that_finds_no_room_before() -> None:
    met, ahead = (
        band(life((RETENTION, 0.001, None), coming=Row(at=NOW + 180 * DAY, stage=LAPSED)), days=0).lines[0].spells
    )
    assert (met.slim, ahead.ahead, ahead.slim, ahead.stage) == (True, True, False, RETENTION)
    known, ahead = band(life((RETENTION, 100, None), coming=Row(at=NOW + 3000 * DAY, stage=LAPSED))).lines[0].spells
    assert (known.slim, ahead.slim) == (False, True)


def test_a_change_far_ahead_does_not_squeeze_the_life_so_far() -> None:
    drawn = band(life((RETENTION, 100, None), coming=Row(at=NOW + 3000 * DAY, stage=LAPSED)))
    assert float(drawn.now_percent[:-1]) == pytest.approx(80)
    assert [spell.ahead for spell in drawn.lines[0].spells] == [False, True]


def test_a_spell_too_small_for_a_finger_bears_no_name_but_keeps_its_sentence() -> None:
    first, second = band(life((RETENTION, 100, 99), (LAPSED, 99, None))).lines[0].spells
    assert first.slim
    assert not second.slim
    assert first.sentence == "Retention from 12 Aug 2026 until 13 Aug 2026 (1 day)"


def test_the_spell_of_the_chosen_instant_is_marked_half_open() -> None:
    one = life((RETENTION, 100, 40), (LAPSED, 40, None))
    at_border = band(one, chosen=NOW - 40 * DAY).lines[0].spells
    assert [spell.chosen for spell in at_border] == [False, True]


def test_a_life_of_a_minute_is_drawn_without_dividing_by_zero() -> None:
    drawn = band(life((RETENTION, 0, None)), days=0)
    assert drawn.lines[0].spells[0].width_percent.endswith("%")
    assert drawn.ticks == []


@pytest.mark.parametrize("days", [2, 20, 74, 75, 200, 700, 2000, 9000])
def test_dates_below_the_line_are_few_and_none_runs_into_today(days: int) -> None:
    ticks = band(life((RETENTION, days, None)), days=days).ticks
    shares = [float(tick.at[:-1]) for tick in ticks]
    assert 1 <= len(ticks) <= 8
    assert shares == sorted(shares)
    assert all(0 <= share <= 86 for share in shares)


def test_marks_outside_the_life_are_left_out() -> None:
    drawn = band(life((RETENTION, 100, None)), marks=[NOW - 200 * DAY, NOW - 50 * DAY])
    assert drawn.marks == ["50.000%"]


def test_a_life_of_very_many_spells_is_drawn_in_some_hundred_that_still_fill_the_line() -> None:
    borders = [700 - 0.35 * n for n in range(2001)]
    stages = [RETENTION, LAPSED, LAPSED]
    many = life(*((stages[n % 3], borders[n], borders[n + 1]) for n in range(1999)), (RETENTION, borders[1999], None))
    drawn = band(many, days=700)
    shares = places(drawn)
    assert len(shares) <= 200
    assert sum(width for _, width in shares) == pytest.approx(100, abs=0.2)
    assert all(left + width == pytest.approx(right, abs=0.01) for (left, width), (right, _) in pairwise(shares))
    assert re.fullmatch(
        r"\d\d stays from \d+ \w+ 20\d\d until \d+ \w+ 20\d\d, the longest in (Retention|Lapsed)",
        drawn.lines[0].spells[0].sentence,
    )


def test_a_long_spell_between_very_many_short_ones_stays_by_itself() -> None:
    short = [(RETENTION if n % 2 else LAPSED, 100 - 0.1 * n, 100 - 0.1 * (n + 1)) for n in range(100)]
    drawn = band(life(*short, (RETENTION, 90, 10), (LAPSED, 10, None)), chosen=NOW - 50 * DAY).lines[0].spells
    assert [spell.sentence for spell in drawn[-2:]] == [
        "Retention from 22 Aug 2026 until 10 Nov 2026 (3 months)",
        "Lapsed since 10 Nov 2026 (1 week)",
    ]
    assert [spell.chosen for spell in drawn].index(True) == len(drawn) - 2
    assert sum(spell.chosen for spell in drawn) == 1

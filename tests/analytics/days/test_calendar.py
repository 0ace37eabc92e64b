"""Days of instants are those that periods are cut into, also where clocks jump, a day is left out or midnight comes
twice."""

from bisect import bisect_right
from itertools import accumulate

import numpy as np
import pytest

from analytics.days.calendar import day_numbers, day_of
from clm.lib.milliseconds import to_ms
from clm.lib.periods import day_start

HOUR = 3_600_000


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo"])
def test_every_hour_of_many_years_belongs_to_its_day(zone: str) -> None:
    chance = np.random.default_rng(3)
    hours = np.arange(366 * 24) * HOUR + 1_293_800_000_000  # a year with Apia's lost day, and so every hour of it
    scattered = chance.integers(0, 1_800_000_000_000, 5_000)
    ms = np.concatenate((hours, hours - 1, scattered))
    starts = list(accumulate((to_ms(day_start(day_of(number), zone)) for number in range(-1, 20_900)), max))
    expected = [bisect_right(starts, one) - 2 for one in ms.tolist()]
    assert day_numbers(ms, zone).tolist() == expected


def test_no_instants_have_no_days() -> None:
    assert day_numbers(np.empty(0, np.int64), "UTC").tolist() == []

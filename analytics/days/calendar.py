"""Day numbers (days since 1970-01-01) of instants, exactly as periods are cut: a day is [day_start, next day_start) of
the business time zone, also where clocks jump."""

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from clm.lib.milliseconds import DAY, from_ms, to_ms
from clm.lib.periods import day_start, local_day

Int64s = npt.NDArray[np.int64]

_EPOCH = date(1970, 1, 1)


def number_of(day: date) -> int:
    """The number of a day."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """The day of a number."""
    return _EPOCH + timedelta(days=int(number))


def day_numbers(ms: Int64s, zone: str) -> Int64s:
    """The days of instants in milliseconds since 1970. Rising instants have rising days."""
    if not len(ms):
        return np.empty(0, np.int64)
    first = number_of(local_day(from_ms(int(ms.min())), zone)) - 1
    last = number_of(local_day(from_ms(int(ms.max())), zone)) + 2
    borders = _borders(first, last, zone)
    # Nearly all lie where they would if days had 24 hours: to look there and one further is faster than a search.
    place = np.minimum((ms - borders[0]) // DAY, len(borders) - 2)
    while True:
        aside = (ms >= borders[place + 1]).astype(np.int64) - (ms < borders[place])
        if not aside.any():
            return place + first
        place += aside


@lru_cache(maxsize=16)
def _borders(first: int, last: int, zone: str) -> Int64s:
    starts = np.array([to_ms(day_start(day_of(number), zone)) for number in range(first, last)], np.int64)
    # Where the date goes back for an hour, the later of two midnights would lie before the earlier.
    return np.append(np.maximum.accumulate(starts), np.iinfo(np.int64).max)

"""Durations of the rule language: fixed lengths in whole milliseconds, written `30m`, `12h`, `90d`, `2w` or `L`."""

from __future__ import annotations

import re

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
LONGEST = 3660 * DAY

_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
# Nine digits of weeks are far beyond the longest duration and still far from overflowing anything.
_WRITTEN = re.compile(r"([0-9]{1,9})([mhdw])")


def parse_duration(text: object, *, lapse: int) -> int:
    """Milliseconds of a written duration; `lapse` is what `L` means, in milliseconds.

    Raises ValueError with the reason in words when the text is no duration of the language."""
    if not isinstance(text, str):
        raise ValueError('a duration is a text such as "90d"')
    if text == "L":
        return lapse
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError('a duration is a whole number of m, h, d or w, such as "90d", or "L"')
    length = int(match[1]) * _UNITS[match[2]]
    if length == 0:
        raise ValueError("a duration is above zero")
    if length > LONGEST:
        raise ValueError("a duration is at most 3660d")
    return length


def say_duration(length: int) -> str:
    """The duration as people say it: the largest of days, hours and minutes that divides it."""
    for unit, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if length % unit == 0:
            count = length // unit
            return f"{count} {word}" if count == 1 else f"{count:,} {word}s"
    return f"{length:,} milliseconds"

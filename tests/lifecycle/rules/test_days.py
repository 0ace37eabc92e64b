"""Local calendar days, compared with the standard library instant by instant."""

import importlib.resources
import random
import struct
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest

from lifecycle.rules.days import local_days

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = [
    "UTC",
    "Europe/London",
    "Africa/Casablanca",  # changes twice a year by the moon
    "America/Havana",  # changes at midnight
    "America/Sao_Paulo",  # changed at midnight
    "America/St_Johns",  # changed at one minute past midnight: the date goes back
    "Asia/Gaza",  # changed at midnight, and at one minute past
    "Asia/Kathmandu",  # 5:45
    "Antarctica/Casey",  # three hours at once
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",  # skipped 30 December 2011
    "Pacific/Kwajalein",
]


def ms(when: datetime) -> int:
    return (when - EPOCH) // timedelta(milliseconds=1)


def expected(zone: ZoneInfo, instant: int) -> int:
    local = (EPOCH + timedelta(milliseconds=instant)).astimezone(zone)
    return (local.date() - date(1970, 1, 1)).days


@pytest.mark.parametrize("name", ZONES)
def test_days_are_those_of_the_standard_library(name):
    with importlib.resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        zone = ZoneInfo.from_file(file, key=name)
    source = random.Random(name)
    probes = [
        source.randrange(ms(datetime(1990, 1, 1, tzinfo=UTC)), ms(datetime(2059, 1, 1, tzinfo=UTC))) for _ in range(500)
    ]
    # A minute around every hour of the weeks in which most clocks change.
    for year in (1990, 2006, 2010, 2011, 2018, 2026):
        for month, day in ((3, 8), (3, 25), (10, 15), (11, 1), (12, 29)):
            start = ms(datetime(year, month, day, tzinfo=UTC))
            probes += [
                start + hour * 3_600_000 + d for hour in range(-24, 9 * 24) for d in (-1, 0, 59_999, 60_000, 1_830_500)
            ]
    numbers = local_days(name).numbers(np.array(probes, np.int64))
    assert numbers.tolist() == [expected(zone, probe) for probe in probes]


def test_the_date_goes_back_where_a_clock_is_set_back_over_midnight():
    before = ms(datetime(2010, 11, 7, 2, 30, 30, tzinfo=UTC))
    numbers = local_days("America/St_Johns").numbers(np.array([before, before + 900_000, before + 3_600_000]))
    assert np.diff(numbers).tolist() == [-1, 1]


@pytest.mark.parametrize("year", [1905, 1945, 1969, 2060, 2100, 2199])
def test_far_instants_have_days_too(year):
    name = "America/New_York"
    with importlib.resources.files("tzdata.zoneinfo").joinpath("America", "New_York").open("rb") as file:
        zone = ZoneInfo.from_file(file, key=name)
    start = ms(datetime(year, 7, 1, tzinfo=UTC))
    probes = [start + hour * 3_600_000 - 1 for hour in range(72)]
    assert local_days(name).numbers(np.array(probes)).tolist() == [expected(zone, probe) for probe in probes]


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "UTC\n", "Europe/../UTC"]
)
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(ValueError, match="unknown time zone"):
        local_days(name)


def test_no_zone_changes_its_offset_twice_within_twelve_hours():
    """The search for changes of the offset probes twice a day."""
    for name in sorted(available_timezones() - {"localtime"}):
        place = importlib.resources.files("tzdata.zoneinfo").joinpath(*name.split("/"))
        if not place.is_file():
            continue
        data = place.read_bytes()
        # RFC 9636: a header, a block of 32-bit times, then the same again with 64 bits.
        _, _, leaps, times, types, chars = struct.unpack(">6L", data[20:44])
        second = 44 + times * 5 + types * 6 + chars + leaps * 8 + struct.unpack(">L", data[20:24])[0]
        second += struct.unpack(">L", data[24:28])[0]
        times = struct.unpack(">L", data[second + 32 : second + 36])[0]
        changes = np.frombuffer(data[second + 44 : second + 44 + 8 * times], ">i8")
        changes = changes[changes > -2_208_988_800]
        assert (np.diff(changes) > 12 * 3600).all(), name

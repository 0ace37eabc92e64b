from datetime import UTC, datetime

import pytest

from customers.local_times import LocalTimes


def read(text: str, **options) -> str:
    options = {"time_format": "%m/%d/%Y %H:%M", "time_zone": "Europe/London", **options}
    return LocalTimes(**options).instant(text).isoformat()


def test_a_local_time_is_read_in_its_zone():
    assert read("12/1/2010 8:26") == "2010-12-01T08:26:00+00:00"
    assert read("7/1/2011 8:26") == "2011-07-01T07:26:00+00:00"


def test_a_time_that_happened_twice_is_its_first_occurrence():
    # On 2011-10-30 the clocks went from 02:00 BST back to 01:00 GMT.
    assert read("10/30/2011 0:59") == "2011-10-29T23:59:00+00:00"
    assert read("10/30/2011 1:30") == "2011-10-30T00:30:00+00:00"
    assert read("10/30/2011 2:00") == "2011-10-30T02:00:00+00:00"


def test_a_time_that_never_was_is_read_with_the_offset_before_the_change():
    # On 2011-03-27 the clocks went from 01:00 GMT on to 02:00 BST.
    assert read("3/27/2011 0:59") == "2011-03-27T00:59:00+00:00"
    assert read("3/27/2011 1:30") == "2011-03-27T01:30:00+00:00"
    assert read("3/27/2011 2:30") == "2011-03-27T01:30:00+00:00"


def test_a_shift_moves_the_wall_clock_so_that_a_morning_stays_a_morning():
    winter, summer = "12/1/2010 8:26", "7/6/2011 8:26"
    assert read(winter, shift_days=7 * 26) == "2011-06-01T07:26:00+00:00"
    assert read(summer, shift_days=7 * 26) == "2012-01-04T08:26:00+00:00"


@pytest.mark.parametrize(
    "text",
    ["", "13/31/2010 8:26", "31/12/2010 8:26", "2010-12-01", "12/1/10000 8:26", "2/29/2011 8:26", "NaN", "12/1/2010"],
)
def test_what_is_not_of_the_form_is_refused(text):
    with pytest.raises(ValueError, match="is not a time of the form %m/%d/%Y %H:%M"):
        read(text)


def test_a_time_before_1990_is_refused():
    with pytest.raises(ValueError, match="lies before 1990"):
        read("12/31/1989 23:59")


def test_a_shift_out_of_the_calendar_is_refused():
    with pytest.raises(ValueError, match="lies outside of the calendar"):
        read("12/31/9999 23:59", shift_days=7)
    with pytest.raises(ValueError, match="lies outside of the calendar"):
        read("12/31/9999 23:59", time_zone="America/New_York")


def test_iso_times_may_carry_their_own_offset():
    assert read("2011-07-01T08:26:00", time_format="iso") == "2011-07-01T07:26:00+00:00"
    assert read("2011-07-01T08:26:00+05:00", time_format="iso") == "2011-07-01T03:26:00+00:00"
    assert read("2011-07-01", time_format="iso") == "2011-06-30T23:00:00+00:00"


def test_an_instant_is_in_utc():
    times = LocalTimes(time_format="iso", time_zone="Europe/London")
    assert times.instant("2011-07-01T08:26:00") == datetime(2011, 7, 1, 7, 26, tzinfo=UTC)
    assert times.instant("2011-07-01T08:26:00").tzinfo is UTC

"""How instants are said on pages."""

import datetime as dt
import zoneinfo

import pytest
from babel.dates import format_datetime, format_time
from django.template import Context, Template
from django.utils import timezone, translation

from clm.lib.locales import reader_locale
from clm.lib.templatetags.times import distance, exact, plain_date, plain_month

NOW = dt.datetime(2026, 11, 20, 12, 4, 33, tzinfo=dt.UTC)


def said(value: object, style: str = "relative") -> str:
    return Template("{% when value style %}").render(Context({"value": value, "style": style, "now": NOW}))


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (dt.timedelta(seconds=-29), "now"),
        (dt.timedelta(seconds=-30), "1 minute ago"),
        (dt.timedelta(minutes=-59, seconds=-59), "59 minutes ago"),
        (dt.timedelta(hours=-1), "1 hour ago"),
        (dt.timedelta(hours=-23, minutes=-59), "23 hours ago"),
        (dt.timedelta(days=-1), "1 day ago"),
        (dt.timedelta(days=9, hours=9), "in 9 days"),
        (dt.timedelta(days=150), "in 4 months"),
        (dt.timedelta(days=-731), "2 years ago"),
    ],
)
def test_distance_is_said_in_whole_units_and_never_rounded_up(delta: dt.timedelta, words: str) -> None:
    assert distance(NOW + delta, NOW) == words


@pytest.mark.parametrize("language", ["en", "en-gb", "en-us"])
def test_every_english_has_the_same_short_names_of_months(language: str) -> None:
    """Letters are written in British English, which would say Sept."""
    day = dt.date(2026, 9, 5)
    with translation.override(language):
        assert (plain_date(day), plain_month(day)) == ("5 Sep 2026", "Sep 2026")
        assert "Sat, 5 Sep 2026" in exact(dt.datetime(2026, 9, 5, 12, tzinfo=dt.UTC))


def test_a_relative_time_carries_the_exact_time_with_its_zone_and_can_be_focused() -> None:
    with timezone.override(zoneinfo.ZoneInfo("Europe/Berlin")):
        markup = said(NOW - dt.timedelta(hours=3))
    assert 'title="Fri, 20 Nov 2026, 10:04:33 CET (Europe/Berlin)"' in markup
    assert 'tabindex="0"' in markup
    assert ">3 hours ago</time>" in markup
    assert 'datetime="2026-11-20T09:04:33+00:00"' in markup


def test_a_time_long_ago_is_a_date_and_says_how_long_ago_in_its_title() -> None:
    markup = said(NOW - dt.timedelta(days=400))
    assert ">16 Oct 2025</time>" in markup
    assert "13 months ago" in markup


def test_what_had_happened_by_the_instant_a_page_is_asked_about_is_told_from_there() -> None:
    then = NOW - dt.timedelta(days=21)

    def told(value: dt.datetime) -> str:
        return Template("{% when value %}").render(Context({"value": value, "now": NOW, "moment": then}))

    assert ">3 days ago</time>" in told(then - dt.timedelta(days=3))
    assert ">now</time>" in told(then)
    # What came later is told from today.
    assert ">20 days ago</time>" in told(then + dt.timedelta(days=1))
    assert "13 months ago" in told(then - dt.timedelta(days=400))


def test_a_plain_date_has_no_zone() -> None:
    assert said(dt.date(2026, 3, 29)) == '<time datetime="2026-03-29">29 Mar 2026</time>'


def test_no_time_is_a_dash_that_screen_readers_skip() -> None:
    assert said(None) == '<span class="muted" aria-hidden="true">–</span>'


def test_the_zone_of_a_half_hour_offset_is_named() -> None:
    with timezone.override(zoneinfo.ZoneInfo("Asia/Kolkata")):
        assert exact(NOW) == "Fri, 20 Nov 2026, 17:34:33 IST (Asia/Kolkata)"


def test_dates_follow_the_readers_language() -> None:
    with translation.override("de"):
        assert ">16. Okt." in said(NOW - dt.timedelta(days=400)) or "Okt" in said(NOW - dt.timedelta(days=400))


@pytest.mark.parametrize("language", ["en-gb", "en-us", "cs", "de", "ja", "ar", "fa"])
def test_the_parts_of_an_instant_are_put_together_as_babel_writes_the_whole(language: str) -> None:
    instant = dt.datetime(2026, 3, 9, 4, 5, 6, tzinfo=dt.UTC)
    with translation.override(language), timezone.override(dt.UTC):
        assert exact(instant) == f"{format_datetime(instant, 'EEE, d MMM y, HH:mm:ss', locale=reader_locale())} UTC"
        assert f">{format_datetime(instant, 'd MMM y, HH:mm', locale=reader_locale())}</time>" in said(
            instant, "moment"
        )
        assert f">{format_time(instant, 'HH:mm', locale=reader_locale())}</time>" in said(instant, "clock")


def test_a_day_said_in_one_language_is_said_anew_in_another() -> None:
    for language, words in (("en-gb", "29 Mar 2026"), ("de", "29 März 2026"), ("en-gb", "29 Mar 2026")):
        with translation.override(language):
            assert said(dt.date(2026, 3, 29)) == f'<time datetime="2026-03-29">{words}</time>'

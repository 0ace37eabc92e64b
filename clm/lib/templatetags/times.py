"""The `{% when %}` tag: an instant said the way people say it, with the exact time and its zone at hand."""

import datetime as dt
import functools

from babel import Locale
from babel.dates import format_date
from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.locales import reader_locale

register = template.Library()

# Beyond this, "7 weeks ago" says less than the date.
RELATIVE_WITHIN = dt.timedelta(days=45)
_ENGLISH = Locale("en")
NOTHING = mark_safe('<span class="muted" aria-hidden="true">–</span>')


# A page says a few hundred instants, most of them on days that other pages say too; Babel takes 20 microseconds for a
# day, and its hours and minutes are two digits in every language.
@functools.lru_cache(maxsize=20_000)
def _day_text(day: dt.date, pattern: str, locale: Locale) -> str:
    # Periods and charts say Sep; of all Englishes the British alone would say Sept.
    return format_date(day, pattern, locale=_ENGLISH if locale.language == "en" else locale)


def day_text(day: dt.date, pattern: str) -> str:
    """A day by a pattern of Babel's, as the reader's pages name months and weekdays."""
    return _day_text(day, pattern, reader_locale())


def exact(value: dt.datetime) -> str:
    """Weekday, date and time in the reader's zone, the zone named: `Thu, 12 Nov 2026, 14:05:33 GMT (Europe/London)`."""
    return _exact(timezone.localtime(value), reader_locale())


def _exact(local: dt.datetime, locale: Locale) -> str:
    zone = timezone.get_current_timezone_name()
    short = local.tzname() or zone
    named = short if short == zone else f"{short} ({zone})"
    return f"{_day_text(local.date(), 'EEE, d MMM y', locale)}, {local:%H:%M:%S} {named}"


def distance(value: dt.datetime, now: dt.datetime) -> str:
    """`3 hours ago`, `in 12 days`, `2 years ago`; `now` within half a minute. Whole units, rounded down."""
    seconds = int(abs((value - now).total_seconds()))
    if seconds < 30:
        return _("now")
    ahead = value > now
    if seconds < 3600:
        n = max(seconds // 60, 1)
        text = ngettext("in %d minute", "in %d minutes", n) if ahead else ngettext("%d minute ago", "%d minutes ago", n)
    elif seconds < 86_400:
        n = seconds // 3600
        text = ngettext("in %d hour", "in %d hours", n) if ahead else ngettext("%d hour ago", "%d hours ago", n)
    elif seconds < 100 * 86_400:
        n = seconds // 86_400
        text = ngettext("in %d day", "in %d days", n) if ahead else ngettext("%d day ago", "%d days ago", n)
    elif seconds < 730 * 86_400:
        n = int(seconds / 86_400 / 30.44)
        text = ngettext("in %d month", "in %d months", n) if ahead else ngettext("%d month ago", "%d months ago", n)
    else:
        n = int(seconds / 86_400 / 365.25)
        text = ngettext("in %d year", "in %d years", n) if ahead else ngettext("%d year ago", "%d years ago", n)
    return text % n


@register.simple_tag(takes_context=True)
def when(context: Context, value: dt.datetime | dt.date | None, style: str = "relative") -> SafeString:
    """A `<time>` element. `style` is `relative`, `date`, `moment` (date and minutes) or `clock` (minutes).

    A plain date has no zone and is printed as a date. None prints as a dash. Where a page is asked about an instant in
    the past, `moment` of its context, what had happened by then is told as it was then: so long before that instant.
    """
    if value is None or value == "":
        return NOTHING
    locale = reader_locale()
    if not isinstance(value, dt.datetime):
        return _element(value, "", _day_text(value, "d MMM y", locale))
    now = context.get("now") or timezone.now()
    moment = context.get("moment")
    if moment is not None and value <= moment:
        now = moment
    local = timezone.localtime(value)
    title = _exact(local, locale)
    if style == "relative" and abs(value - now) <= RELATIVE_WITHIN:
        text = distance(value, now)
    else:
        title = f"{title} · {distance(value, now)}"
        if style == "clock":
            text = f"{local:%H:%M}"
        else:
            text = _day_text(local.date(), "d MMM y", locale)
            if style == "moment":
                text = f"{text}, {local:%H:%M}"
    return _element(value, f' title="{escape(title)}" tabindex="0"', text)


def _element(value: dt.datetime | dt.date, attributes: str, text: str) -> SafeString:
    return mark_safe(f'<time datetime="{value.isoformat()}"{attributes}>{escape(text)}</time>')  # noqa: S308


@register.filter
def plain_date(value: dt.datetime | dt.date | None) -> str:
    """A date without mark-up, for labels and sentences."""
    if value is None:
        return ""
    day = timezone.localtime(value).date() if isinstance(value, dt.datetime) else value
    return _day_text(day, "d MMM y", reader_locale())


@register.filter
def plain_month(value: dt.date) -> str:
    """The month a day lies in: `Nov 2026`."""
    return _day_text(value, "MMM y", reader_locale())


@register.filter
def weekday_date(value: dt.date) -> str:
    """`Thursday, 12 November 2026`."""
    return _day_text(value, "EEEE, d MMMM y", reader_locale())

"""The `{% when %}` tag: an instant said the way people say it, with the exact time and its zone at hand."""

import datetime as dt

from babel.dates import format_date, format_datetime, format_time
from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.locales import reader_locale

register = template.Library()

# Beyond this, "7 weeks ago" says less than the date.
RELATIVE_WITHIN = dt.timedelta(days=45)
NOTHING = mark_safe('<span class="muted" aria-hidden="true">–</span>')


def exact(value: dt.datetime) -> str:
    """Weekday, date and time in the reader's zone, the zone named: `Thu, 12 Nov 2026, 14:05:33 GMT (Europe/London)`."""
    local = timezone.localtime(value)
    zone = timezone.get_current_timezone_name()
    short = local.tzname() or zone
    named = short if short == zone else f"{short} ({zone})"
    return f"{format_datetime(local, 'EEE, d MMM y, HH:mm:ss', locale=reader_locale())} {named}"


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

    A plain date has no zone and is printed as a date. None prints as a dash.
    """
    if value is None or value == "":
        return NOTHING
    locale = reader_locale()
    if not isinstance(value, dt.datetime):
        return format_html(
            '<time datetime="{}">{}</time>', value.isoformat(), format_date(value, "d MMM y", locale=locale)
        )
    now = context.get("now") or timezone.now()
    local = timezone.localtime(value)
    far = abs(value - now) > RELATIVE_WITHIN
    title = exact(value)
    if style == "relative" and not far:
        text = distance(value, now)
    else:
        title = f"{title} · {distance(value, now)}"
        if style == "clock":
            text = format_time(local, "HH:mm", locale=locale)
        elif style == "moment":
            text = format_datetime(local, "d MMM y, HH:mm", locale=locale)
        else:
            text = format_date(local.date(), "d MMM y", locale=locale)
    return format_html('<time datetime="{}" title="{}" tabindex="0">{}</time>', value.isoformat(), title, text)


@register.filter
def plain_date(value: dt.datetime | dt.date | None) -> str:
    """A date without mark-up, for labels and sentences."""
    if value is None:
        return ""
    day = timezone.localtime(value).date() if isinstance(value, dt.datetime) else value
    return format_date(day, "d MMM y", locale=reader_locale())


@register.filter
def weekday_date(value: dt.date) -> str:
    """`Thursday, 12 November 2026`."""
    return format_date(value, "EEEE, d MMMM y", locale=reader_locale())

"""Numbers as people read them: money from whole minor units, rates as percent, counts with separators."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Protocol

from babel import Locale
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision, get_group_symbol
from django import template
from django.template import Context
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.locales import reader_locale

register = template.Library()
Number = int | float | Decimal | Fraction

MINUS = "−"
# From here on the minor part of an amount in a figure is noise: £1,234 but £999.99; so are tenths of a percent.
WHOLE_FROM = 1_000


class Reporting(Protocol):
    """The reporting currency: ISO code and the digits of its minor unit. Pages find it in their context."""

    currency: str
    minor_digits: int


def _plain(value: Number) -> int | float | Decimal:
    return float(value) if isinstance(value, Fraction) else value


def money_text(amount: Number, reporting: Reporting, *, whole: bool = False) -> str:
    """`amount` in minor units (1234 GBP is £12.34); `whole` drops the minor part."""
    return _money_text(round(_plain(amount)), reporting.currency, reporting.minor_digits, whole, reader_locale())


@lru_cache(maxsize=10_000)
def _money_text(amount: int, currency: str, minor_digits: int, whole: bool, locale: Locale) -> str:
    """Lists print the same few amounts over and over, and each costs more than the row around it."""
    major = Decimal(amount).scaleb(-minor_digits)
    if not whole and minor_digits == get_currency_precision(currency):
        text = format_currency(major, currency, locale=locale)
    else:
        digits = 0 if whole else minor_digits
        pattern = locale.currency_formats["standard"].pattern.replace(".00", f".{'0' * digits}" if digits else "")
        text = format_currency(major, currency, format=pattern, locale=locale, currency_digits=False)
    return text.replace("-", MINUS)


def sent_text(amount: Decimal, currency: str) -> str:
    """An amount as it was sent or entered, in its own currency: 2000 GBP is £2,000.00, as amounts of the reporting
    currency are written beside it. Finer places than the currency's are kept; without a currency it is the number."""
    locale, plain = reader_locale(), amount.normalize()
    if not currency:
        return format_decimal(plain, locale=locale, decimal_quantization=False).replace("-", MINUS)
    return format_currency(plain, currency, locale=locale, decimal_quantization=False).replace("-", MINUS)


def quantity_text(value: Number | None, unit: str, reporting: Reporting | None) -> str:
    """A value with its unit. Units: count, number, money, percent, ratio, days, months, orders. None is n/a."""
    if value is None:
        return _("n/a")
    if unit == "money":
        assert reporting is not None
        return money_text(value, reporting, whole=abs(value) >= WHOLE_FROM * 10**reporting.minor_digits)
    value = _plain(value)
    locale = reader_locale()
    if unit == "percent":
        digits = "##0.0" if abs(float(value)) < WHOLE_FROM / 100 else "##0"
        return _percent_text(value, digits, locale)
    if unit in ("days", "months"):
        # Plural forms are of whole numbers: 2.5 days take the form of 3, 1 day its own.
        form = int(value) if value == int(value) else int(value) + 2
        words = {"days": ngettext("%s day", "%s days", form), "months": ngettext("%s month", "%s months", form)}
        return words[unit] % format_decimal(value, "#,##0.#", locale=locale)
    if isinstance(value, int) and value >= 0:
        return f"{value:,}".replace(",", _group_symbol(locale))
    return format_decimal(value, "#,##0.##" if unit in ("number", "orders", "ratio") else "#,##0", locale=locale)


@lru_cache(maxsize=10_000)
def _percent_text(value: int | float | Decimal, digits: str, locale: Locale) -> str:
    return format_percent(value, locale.percent_formats[None].pattern.replace("##0", digits), locale=locale)


@lru_cache
def _group_symbol(locale: Locale) -> str:
    """What stands between thousands. A page of figures prints a thousand counts, and Babel takes 35 microseconds for
    each."""
    return get_group_symbol(locale)


def change_text(value: Number, unit: str, reporting: Reporting | None) -> str:
    """The size of a change, without its sign: `4.2%`, `1.1 pp`, `£1,200`, `12`."""
    size: Number = -value if value < 0 else value
    if unit == "points":
        return _("%s pp") % format_decimal(_plain(size) * 100, "#,##0.0", locale=reader_locale())
    return quantity_text(size, unit, reporting)


@register.simple_tag(takes_context=True)
def money(context: Context, amount: int | None, whole: bool = False) -> str:
    """An amount in minor units of the reporting currency; None prints as a dash."""
    return "–" if amount is None else money_text(amount, context["reporting"], whole=whole)


@register.filter
def in_currency(amount: Decimal, currency: str) -> str:
    """An amount as it was sent or entered, in its own currency."""
    return sent_text(amount, currency)


@register.filter
def as_sent(original: str) -> str:
    """The same of what a timeline's entry keeps of it: "20.9 CHF"; nothing of nothing."""
    amount, _space, currency = original.partition(" ")
    return sent_text(Decimal(amount), currency) if amount else ""


@register.simple_tag(takes_context=True)
def quantity(context: Context, value: Number | None, unit: str) -> str:
    """A value with its unit, None as n/a."""
    return quantity_text(value, unit, context.get("reporting"))


@register.simple_tag(takes_context=True)
def size_of_change(context: Context, value: Number, unit: str) -> str:
    """The size of a change without its sign."""
    return change_text(value, unit, context.get("reporting"))


@register.filter
def number(value: Number | None) -> str:
    """1234567 -> 1,234,567; None -> n/a."""
    return quantity_text(value, "count", None)


@register.filter
def percent(value: Number | None) -> str:
    """A share 0..1 with one decimal."""
    return quantity_text(value, "percent", None)


@register.filter
def signed(value: Number) -> str:
    """+12, −3, ±0."""
    if not value:
        return "±0"
    return f"{'+' if value > 0 else MINUS}{quantity_text(value if value > 0 else -value, 'count', None)}"


@register.filter
def part_of(value: Number, whole: Number) -> str:
    """A width in percent for style attributes, always with a decimal point."""
    return f"{100 * float(value) / float(whole):.2f}%" if whole else "0%"

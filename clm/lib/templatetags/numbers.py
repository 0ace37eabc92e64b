"""Numbers as people read them: money from whole minor units, rates as percent, counts with separators."""

import numbers
from decimal import Decimal

from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision
from django import template
from django.conf import settings
from django.template import Context
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.locales import reader_locale

register = template.Library()
Number = int | float | Decimal

MINUS = "−"


def money_text(amount: int | Decimal, currency: str, *, whole: bool = False) -> str:
    """`amount` in minor units of `currency` (1234 GBP is £12.34); `whole` drops the minor part."""
    places = get_currency_precision(currency)
    major = Decimal(amount).scaleb(-places)
    digits = None if not whole else "¤#,##0"
    return format_currency(major, currency, format=digits, locale=reader_locale(), currency_digits=not whole).replace(
        "-", MINUS
    )


def quantity_text(value: Number | None, unit: str, currency: str, *, whole: bool = True) -> str:
    """A value with its unit. Units: count, number, money, percent, ratio, days, months, orders. None is n/a."""
    locale = reader_locale()
    if value is None:
        return _("n/a")
    if unit == "money":
        return money_text(round(Decimal(value)), currency, whole=whole and abs(value) >= 100_000)
    if unit == "percent":
        return format_percent(value, "#,##0.0 %" if locale.language == "de" else "#,##0.0%", locale=locale)
    if unit == "ratio":
        return format_decimal(value, "#,##0.0#", locale=locale) + " : 1"
    if unit in ("days", "months"):
        number = format_decimal(value, "#,##0.#", locale=locale)
        words = {"days": ngettext("%s day", "%s days", value), "months": ngettext("%s month", "%s months", value)}
        return words[unit] % number
    if unit == "number":
        return format_decimal(value, "#,##0.##", locale=locale)
    return format_decimal(value, "#,##0", locale=locale)


def change_text(value: Number, unit: str, currency: str) -> str:
    """The size of a change, without its sign: `4.2%`, `1.1 pp`, `£1,200`, `12`."""
    size = abs(value)
    if unit == "points":
        return _("%s pp") % format_decimal(size * 100, "#,##0.0", locale=reader_locale())
    return quantity_text(size, unit, currency)


def _currency(context: Context) -> str:
    return context.get("currency") or getattr(settings, "REPORTING_CURRENCY", "GBP")


@register.simple_tag(takes_context=True)
def money(context: Context, amount: int | None, whole: bool = False) -> str:
    """An amount in minor units of the reporting currency; None prints as a dash."""
    return "–" if amount is None else money_text(amount, _currency(context), whole=whole)


@register.simple_tag(takes_context=True)
def quantity(context: Context, value: Number | None, unit: str) -> str:
    return quantity_text(value, unit, _currency(context))


@register.simple_tag(takes_context=True)
def size_of_change(context: Context, value: Number, unit: str) -> str:
    return change_text(value, unit, _currency(context))


@register.filter
def number(value: Number | None) -> str:
    """1234567 -> 1,234,567; None -> n/a."""
    return quantity_text(value, "count", "")


@register.filter
def percent(value: Number | None) -> str:
    """A share 0..1 with one decimal."""
    return quantity_text(value, "percent", "")


@register.filter
def signed(value: Number) -> str:
    """+12, −3, ±0."""
    if isinstance(value, numbers.Number) and value:
        return f"{'+' if value > 0 else MINUS}{quantity_text(abs(value), 'count', '')}"
    return "±0"


@register.filter
def part_of(value: Number, whole: Number) -> str:
    """A width in percent for style attributes, always with a decimal point."""
    return f"{100 * float(value) / float(whole):.2f}%" if whole else "0%"

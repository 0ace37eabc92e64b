"""Exchange rates as people enter them: what one unit of a currency is worth in the reporting currency from a day on.

A rate counts for what arrives or is entered from now on; stored amounts keep the rate they were converted by."""

from datetime import date, timedelta
from decimal import Decimal

from babel.numbers import list_currencies
from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import Faults, QuestionError

from .ingest import clock
from .models import ExchangeRate, Installation

MOST, PLACES = Decimal(10) ** 10, 10
# A rate may be agreed on for some time ahead; one of a later day has a slip in its year.
AHEAD = timedelta(days=366)
LONGEST_SOURCE = 100


def known_currency(code: str, *, field: str = "currency") -> str:
    """The code of a currency; QuestionError for what is none."""
    if code not in list_currencies():
        raise QuestionError(field, _("This is not a currency; say its three letters, such as EUR."))
    return code


@transaction.atomic
def enter_rate(*, currency: str, day: date, rate: Decimal, source: str) -> tuple[ExchangeRate, bool]:
    """Enter a rate; one entered for the same currency and day is replaced. The rate, and whether it is a new one."""
    faults = Faults()
    with faults.noted():
        other_currency(currency)
    with faults.noted():
        possible_day(day, last=last_day())
    with faults.noted():
        possible_rate(rate)
    faults.refuse()
    return ExchangeRate.objects.update_or_create(
        currency=currency, day=day, defaults={"rate": rate, "source": source[:LONGEST_SOURCE]}
    )


def other_currency(code: str) -> str:
    """The code of a currency that needs a rate; QuestionError for the reporting one and for what is none."""
    reporting = Installation.current().currency
    if known_currency(code) == reporting:
        said = _("%(currency)s is the reporting currency itself and needs no rate.") % {"currency": reporting}
        raise QuestionError("currency", said)
    return code


def last_day() -> date:
    """The last day from which a rate may hold."""
    return clock().date() + AHEAD


def possible_day(day: date, *, last: date) -> date:
    """A day from which a rate may hold; QuestionError for one after the last."""
    if day > last:
        said = _("This day lies more than a year ahead; the last one that can be entered is %(last)s.")
        raise QuestionError("day", said % {"last": last})
    return day


def comma_said(text: str) -> str:
    """What to tell whoever wrote a rate with a comma, "" where there is none."""
    if "," not in text:
        return ""
    if text.count(",") > 1 or "." in text:
        return _("Write the rate without thousands separators, with a point before its decimal places: 0.8571.")
    return _("Write the rate with a point: %(rate)s.") % {"rate": text.strip().replace(",", ".")[:30]}


def possible_rate(rate: Decimal) -> None:
    """QuestionError for what cannot be a rate."""
    if not rate.is_finite() or rate <= 0:
        raise QuestionError("rate", _("A rate is a number above zero, like 0.8571."))
    exponent = rate.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    if rate >= MOST or -exponent > PLACES:
        raise QuestionError("rate", _("A rate has at most ten digits before its point and ten decimal places."))


def remove_rate(*, rate: ExchangeRate) -> None:
    """Forget a rate; the day before it with a rate counts in its place."""
    rate.delete()

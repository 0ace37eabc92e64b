"""Acts of marketers who enter what was spent. Whatever way it comes in, an entry is checked and converted here."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clm.lib.periods import local_day
from clm.lib.questions import ConflictError, Faults, QuestionError
from customers.models import Installation
from customers.money import LIMIT, Conversion, NoRate
from customers.rates import known_currency

from .keeping import channel_of
from .models import Campaign, Spend

EARLIEST = date(1990, 1, 1)
MOST, PLACES = Decimal(10) ** 14, 4


@transaction.atomic
def enter_spend(
    *,
    channel: str,
    day: date,
    amount: Decimal,
    now: datetime,
    currency: str | None = None,
    campaign: str | None = None,
    is_paid_media: bool = True,
) -> Spend:
    """Enter what was spent on a channel, and perhaps one campaign, on one day of the business time zone, in `currency`
    (None: the reporting one). ConflictError when such an entry exists; QuestionError names the field."""
    spend = Spend()
    told = {"channel": channel, "day": day, "amount": amount, "currency": currency, "campaign": campaign}
    return _kept(spend, {**told, "is_paid_media": is_paid_media}, now)


@transaction.atomic
def change_spend(*, spend: Spend, changes: Mapping[str, Any], now: datetime) -> Spend:
    """Correct an entry; it is converted anew at the rate of its day when day, amount or currency change."""
    return _kept(Spend.objects.select_for_update(no_key=True).get(pk=spend.pk), changes, now)


@transaction.atomic
def delete_spend(*, spend: Spend) -> None:
    """Take an entry back."""
    spend.delete()


def _kept(spend: Spend, changes: Mapping[str, Any], now: datetime) -> Spend:
    installation, faults = Installation.current(), Faults()
    today = local_day(now, installation.time_zone)
    for field, value in changes.items():
        with faults.noted():
            _tell(spend, field, value, today=today, reporting=installation.currency)
    faults.refuse()
    if changes.keys() & {"day", "amount", "currency"}:
        spend.amount = converted(Conversion, spend.original_amount, spend.currency, spend.day)
    try:
        with transaction.atomic():
            spend.save()
    except IntegrityError:
        raise ConflictError(
            _("Spend of this channel, campaign, day, currency and kind was entered already; change that entry.")
        ) from None
    return spend


def _tell(spend: Spend, field: str, value: Any, *, today: date, reporting: str) -> None:
    match field:
        case "channel":
            spend.channel = channel_of(value)
        case "campaign":
            spend.campaign = None if value is None else _campaign(value)
        case "day":
            spend.day = possible_day(value, today=today)
        case "amount":
            spend.original_amount = possible_amount(value)
        case "currency":
            spend.currency = reporting if value is None else known_currency(value)
        case "is_paid_media":
            spend.is_paid_media = value
        case _:
            raise QuestionError(field, _("This cannot be changed."))


def converted(conversion: Callable[[str], Conversion], amount: Decimal, currency: str, day: date) -> int:
    """`amount` at the rate of its day in minor units of the reporting currency. `conversion`: where the rates of a
    currency come from; whoever converts many amounts keeps them."""
    try:
        units = conversion(currency).minor_units(amount, day)
    except NoRate:
        said = _("There is no exchange rate of %(currency)s for %(day)s. An admin enters one under Exchange rates.")
        raise QuestionError("currency", said % {"currency": currency, "day": day}) from None
    if units >= LIMIT:
        raise QuestionError("amount", _("This amount is larger than can be kept."))
    return units


def _campaign(key: str) -> Campaign:
    found = Campaign.objects.filter(key=key).first()
    if found is None:
        raise QuestionError("campaign", _('There is no campaign "%(key)s".') % {"key": key[:100]})
    return found


def possible_day(day: date, *, today: date) -> date:
    """A day that spend may have; QuestionError otherwise."""
    if day > today:
        raise QuestionError("day", _("This day has not come yet."))
    if day < EARLIEST:
        raise QuestionError("day", _("This lies before 1990."))
    return day


def possible_amount(amount: Decimal) -> Decimal:
    """An amount that may have been spent; QuestionError otherwise."""
    if not amount.is_finite() or amount < 0:
        raise QuestionError("amount", _("An amount is a number, not below zero."))
    exponent = amount.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    if amount >= MOST or -exponent > PLACES:
        raise QuestionError("amount", _("An amount has at most 14 digits before and 4 after its point."))
    return amount

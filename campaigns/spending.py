"""Acts of marketers who enter what was spent. Whatever way it comes in, an entry is checked and converted here."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clm.lib.periods import local_day
from clm.lib.questions import ConflictError, QuestionError
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
    installation = Installation.current()
    for field, value in changes.items():
        match field:
            case "channel":
                spend.channel = channel_of(value)
            case "campaign":
                spend.campaign = None if value is None else _campaign(value)
            case "day":
                spend.day = _day(value, local_day(now, installation.time_zone))
            case "amount":
                spend.original_amount = _amount(value)
            case "currency":
                spend.currency = installation.currency if value is None else known_currency(value)
            case "is_paid_media":
                spend.is_paid_media = value
            case _:
                raise QuestionError(field, _("This cannot be changed."))
    if changes.keys() & {"day", "amount", "currency"}:
        spend.amount = _converted(spend)
    try:
        with transaction.atomic():
            spend.save()
    except IntegrityError:
        raise ConflictError(
            _("Spend of this channel, campaign, day, currency and kind was entered already; change that entry.")
        ) from None
    return spend


def _converted(spend: Spend) -> int:
    try:
        units = Conversion(spend.currency).minor_units(spend.original_amount, spend.day)
    except NoRate as error:
        raise QuestionError("currency", str(error)) from None
    if units >= LIMIT:
        raise QuestionError("amount", _("This amount is larger than can be kept."))
    return units


def _campaign(key: str) -> Campaign:
    found = Campaign.objects.filter(key=key).first()
    if found is None:
        raise QuestionError("campaign", _('There is no campaign "%(key)s".') % {"key": key[:100]})
    return found


def _day(day: date, today: date) -> date:
    if day > today:
        raise QuestionError("day", _("This day has not come yet."))
    if day < EARLIEST:
        raise QuestionError("day", _("This lies before 1990."))
    return day


def _amount(amount: Decimal) -> Decimal:
    if not amount.is_finite() or amount < 0:
        raise QuestionError("amount", _("An amount is a number, not below zero."))
    exponent = amount.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    if amount >= MOST or -exponent > PLACES:
        raise QuestionError("amount", _("An amount has at most 14 digits before and 4 after its point."))
    return amount

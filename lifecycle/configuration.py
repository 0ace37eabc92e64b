"""Changing what numbers mean: the zone, the currency and the rhythm an installation counts in.

Stored touchpoints carry amounts in the reporting currency, and their stages were counted with one zone and one L, so
these three can only be changed while there are no touchpoints."""

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from babel.numbers import get_currency_precision, list_currencies
from django.core.exceptions import ValidationError
from django.db import transaction

from customers import locks
from customers.models import ExchangeRate, Installation, Touchpoint

from .install import rebuild

FIXED_BY_TOUCHPOINTS = ("currency", "time_zone", "lapse_days")


class ConfigurationError(ValueError):
    """The installation cannot be changed so; the message says why."""


def configure(*, changes: dict[str, Any], now: datetime) -> Installation:
    """Change the named fields of the installation (name, currency, time_zone, lapse_days, news_hours, margin_percent,
    support_days, support_opens, support_closes); what is live is built anew if it counts differently now."""
    with transaction.atomic():
        locks.own(locks.PROPERTY_KEYS)  # nobody ingests meanwhile
        installation = Installation.current()
        changed = {field: value for field, value in changes.items() if getattr(installation, field) != value}
        fixed = [field.replace("_", " ") for field in FIXED_BY_TOUCHPOINTS if field in changed]
        if fixed and Touchpoint.objects.exists():
            raise ConfigurationError(
                f"{' and '.join(fixed)} can be changed only while no touchpoints are stored: amounts and stages were "
                "computed with what it is now. Nothing was changed; start over with an empty installation (make reset)"
            )
        if changed.get("time_zone", "UTC") not in available_timezones():
            raise ConfigurationError(f'"{changed["time_zone"]}" is not a time zone; write it like Europe/London')
        if changed.get("currency", "EUR") not in list_currencies():
            raise ConfigurationError(f'"{changed["currency"]}" is not a currency; write its three letters, like GBP')
        if "currency" in changed:
            if ExchangeRate.objects.exists():
                raise ConfigurationError(
                    f"exchange rates into {installation.currency} are stored, which would mean something else in "
                    f"{changed['currency']}; start over with an empty installation (make reset)"
                )
            changed["minor_digits"] = get_currency_precision(changed["currency"])
        for field, value in changed.items():
            setattr(installation, field, value)
        try:
            installation.full_clean()
        except ValidationError as error:
            raise ConfigurationError(" ".join(error.messages)) from None
        installation.save()
    rebuild(now=now)
    return installation

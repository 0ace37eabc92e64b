"""manage.py exchange_rate EUR 2025-01-01 0.8571: what one unit of a currency is worth in the reporting currency."""

from argparse import ArgumentParser
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import list_currencies
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from customers.models import ExchangeRate, Installation


class Command(BaseCommand):
    help = (
        "Enter what one unit of a currency is worth in the reporting currency, from a day on until the next day with a "
        "rate. A rate entered again for the same day replaces the earlier one. Without arguments: all rates."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("currency", nargs="?", help="three letters, such as EUR")
        parser.add_argument("day", nargs="?", help="the first day it holds, such as 2025-01-01")
        parser.add_argument("rate", nargs="?", help="such as 0.8571")

    def handle(self, *, currency: str | None, day: str | None, rate: str | None, **options: Any) -> None:
        reporting = Installation.current().currency
        if currency is None:
            self._list(reporting)
            return
        if day is None or rate is None:
            raise CommandError("Say all three: manage.py exchange_rate EUR 2025-01-01 0.8571")
        if currency not in list_currencies():
            raise CommandError(f'"{currency}" is not a currency; say its three letters, such as EUR')
        if currency == reporting:
            raise CommandError(f"{reporting} is the reporting currency itself and needs no rate")
        first = _day(day)
        entered = ExchangeRate.objects.filter(currency=currency, day=first).first()
        entered = entered or ExchangeRate(currency=currency, day=first)
        entered.rate, entered.source = _number(rate), "manage.py exchange_rate"
        try:
            entered.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        entered.save()
        self.stdout.write(f"1 {currency} is {entered.rate.normalize():f} {reporting} from {first} on.")

    def _list(self, reporting: str) -> None:
        known = list(ExchangeRate.objects.order_by("currency", "day"))
        for each in known:
            self.stdout.write(f"1 {each.currency} is {each.rate.normalize():f} {reporting} from {each.day} on")
        if not known:
            self.stdout.write(f"No exchange rate is known; amounts are reported in {reporting}.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f'"{text}" is not a day; write it like 2025-01-31') from None


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        raise CommandError(f'"{text}" is not a rate; write a number above zero, like 0.8571')
    return number

"""manage.py exchange_rate EUR 2025-01-01 0.8571: what one unit of a currency is worth in the reporting currency."""

from argparse import ArgumentParser
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError

from clm.lib.prepared_command import PreparedCommand
from clm.lib.questions import QuestionError
from customers.conversions import ask_to_convert
from customers.ingest import clock
from customers.models import ExchangeRate, Installation
from customers.rates import comma_said, enter_rate


class Command(PreparedCommand):
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
        first, number = _day(day), _number(rate)
        try:
            entered, _is_new = enter_rate(currency=currency, day=first, rate=number, source="manage.py exchange_rate")
        except QuestionError as error:
            said = {"currency": currency, "day": day, "rate": rate}[error.field]
            raise CommandError(f'"{said}": {error.message}') from None
        self.stdout.write(f"1 {currency} is {entered.rate.normalize():f} {reporting} from {first} on.")
        for asked in ask_to_convert(currencies=[currency], now=clock()):
            self.stdout.write(
                f"{asked.total} stored touchpoints wait for a rate; workers convert them, or manage.py convert does"
            )

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
    if said := comma_said(text):
        raise CommandError(f'"{text}": {said}')
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        raise CommandError(f'"{text}" is not a rate; write a number above zero, like 0.8571')
    return number

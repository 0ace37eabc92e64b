"""Work that rows ask for: what raises has failed and stops nobody else."""

import pytest
from django.db import OperationalError

from customers.models import Conversion
from customers.open_work import do_open

pytestmark = pytest.mark.django_db


def asked() -> list[int]:
    return [Conversion.objects.create(currency=currency).pk for currency in ("CHF", "USD")]


def test_what_raises_has_failed_and_the_next_is_done() -> None:
    first, second = asked()
    left = {second: [3, 4]}

    def step(number: int) -> int | None:
        if number == first:
            raise ZeroDivisionError
        return left[number].pop(0) if left[number] else None

    assert do_open(Conversion, step=step) == 7
    failed = Conversion.objects.get(pk=first)
    assert failed.failed_at is not None
    assert failed.error == "ZeroDivisionError"
    assert Conversion.objects.get(pk=second).failed_at is None
    assert do_open(Conversion, step=lambda number: {second: None}[number]) == 0  # the failed one is not begun again


def test_trouble_of_the_database_is_no_fault_of_the_work() -> None:
    def step(number: int) -> int | None:
        raise OperationalError

    asked()
    with pytest.raises(OperationalError):
        do_open(Conversion, step=step)
    assert not Conversion.objects.exclude(failed_at=None).exists()


def test_nothing_is_begun_once_the_time_is_over() -> None:
    asked()
    assert do_open(Conversion, step=lambda _number: 1, seconds=0) == 0

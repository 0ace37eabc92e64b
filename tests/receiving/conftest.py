"""Nothing that one test let in is remembered by the next."""

from collections.abc import Iterator

import pytest

from customers.receiving import door, joining, money
from tests.receiving.sending import Sender


@pytest.fixture(autouse=True)
def no_doors_remembered() -> Iterator[None]:
    yield
    door.forget()
    money.forget()
    joining.forget()


@pytest.fixture
def sender(db: None) -> Sender:
    return Sender()

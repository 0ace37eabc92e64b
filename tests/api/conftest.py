"""What comes with the software is installed once for a module of tests that only look; each test still undoes its own
writes, as a transaction inside the module's."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from tests.lifecycle.making import installed


@pytest.fixture(scope="module")
def installed_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        installed()
        # Checked now, once; left to each test's end, references are checked as often as there are tests.
        connection.check_constraints()
        yield
        transaction.set_rollback(True)

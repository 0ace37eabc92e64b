"""Customers with very many touchpoints are worked on beside the others, in a process that ends by itself."""

from collections.abc import Callable

import pytest

from clm.lib.processes import wait_until
from lifecycle.models import HotCustomer

from .conftest import Process, Side
from .making import ago, customer_of, happened, installed, settle, stage, tell, waiting

Spawn = Callable[..., "Process[str]"]


@pytest.mark.django_db(transaction=True)
def test_while_a_hot_customer_is_worked_on_the_others_go_on(spawn: Spawn, side: Side, other_side: Side) -> None:
    installed()
    tell(happened("hot", "Page Viewed", ago(days=1)), happened("cool", "Page Viewed", ago(days=1)))
    settle()
    HotCustomer.objects.create(customer_id=customer_of("hot"), touchpoints=50_000, not_before=ago(minutes=1))
    tell(happened("hot", "Signed Up", ago(minutes=1)))
    # Somebody holds up the hot customer's turn in the middle.
    with other_side.holding("SELECT FROM lifecycle_standing WHERE customer_id = %s FOR UPDATE", [customer_of("hot")]):
        forever = spawn("from django.core.management import call_command; call_command('advance', forever=True)")
        assert wait_until(lambda: side.blocked() == 1, seconds=20)
        tell(happened("cool", "Signed Up", ago(minutes=1)))
        assert wait_until(lambda: stage(customer_of("cool")) == "acquisition", seconds=20)
        assert (stage(customer_of("hot")), waiting()) == ("awareness", 1)
    assert wait_until(lambda: stage(customer_of("hot")) == "acquisition", seconds=20)
    assert waiting() == 0
    forever.terminate()
    forever.wait(20)

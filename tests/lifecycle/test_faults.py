"""An error of the program's own: nobody is parked for it, nothing is lost, and it is shown until it is mended."""

from datetime import timedelta

import pytest
from django.db.models import F

from customers.models import PropertyValue
from lifecycle.advance import advance, advance_customers
from lifecycle.models import Fault, Parked
from lifecycle.parking import ProgramFaultError
from lifecycle.replay import replay_all

from .making import ago, check_standings, customer_of, happened, installed, settle, stage, tell, waiting

pytestmark = pytest.mark.django_db

BROKEN, HEALTHY = [f"broken {n}" for n in range(12)], [f"healthy {n}" for n in range(12)]


@pytest.fixture(autouse=True)
def world(db: None) -> None:
    installed()


def answered(*names: str, hours: int = 1) -> None:
    tell(*[happened(name, "Feedback Submitted", ago(hours=hours), properties={"nps": 10}) for name in names])


def damage(*names: str) -> None:
    """The facts of some customers (of all, if none is named) can no longer be read: a kept property holds no number."""
    values = PropertyValue.objects.all()
    assert (values.filter(profile__identities__value__in=names) if names else values).update(text="so many") > 0


def mend() -> None:
    PropertyValue.objects.update(text="10")


def later() -> None:
    """The pause is over."""
    Fault.objects.update(retry_at=F("retry_at") - timedelta(minutes=2))


def test_an_error_that_strikes_everybody_parks_nobody_and_loses_nothing() -> None:
    answered(*BROKEN, *HEALTHY)
    settle()
    answered(*BROKEN, hours=2)
    damage()
    assert settle().parked == 0
    fault = Fault.objects.get()
    assert fault.trouble.startswith("InvalidOperation in load")
    assert (fault.tries, fault.customers) == (1, 12)
    assert (Parked.objects.count(), waiting()) == (0, 12)
    assert advance().customers == 0  # waits out its pause
    assert advance_customers(customers=[customer_of(HEALTHY[0])]).customers == 0
    assert Fault.objects.get().tries == 1
    later()
    assert advance().customers == 0
    fault = Fault.objects.get()
    assert fault.tries == 2
    assert fault.retry_at - fault.last_at == timedelta(seconds=2)
    mend()
    later()
    assert settle().customers == 12
    assert not Fault.objects.exists()
    assert waiting() == 0
    check_standings()


def test_an_error_of_many_customers_that_others_do_not_share_parks_them_and_the_others_go_on() -> None:
    answered(*HEALTHY)
    settle()
    answered(*BROKEN)
    answered(HEALTHY[0], hours=2)
    damage(*BROKEN)
    assert settle().parked == 12
    assert not Fault.objects.exists()
    assert stage(customer_of(HEALTHY[0])) == "awareness"
    assert waiting() == 0


def test_an_error_that_strikes_everybody_is_known_for_it_though_customers_come_one_by_one() -> None:
    answered(*BROKEN, *HEALTHY)
    settle()
    damage()
    for name in BROKEN:
        tell(happened(name, "Page Viewed", ago(minutes=1)))
        settle()
        later()
    assert Fault.objects.exists()
    # Who was parked before it was known is put back.
    assert (Parked.objects.count(), Fault.objects.get().tries) == (0, 3)
    mend()
    later()
    settle()
    assert waiting() == 0
    assert not Fault.objects.exists()
    check_standings()


def test_what_was_taken_for_a_fault_is_one_no_more_once_others_pass() -> None:
    answered(*BROKEN)
    damage()
    assert settle().parked == 0  # there is nobody else to tell it by
    assert Fault.objects.exists()
    answered(*HEALTHY)
    later()
    assert settle().parked == 12
    assert not Fault.objects.exists()
    assert stage(customer_of(HEALTHY[0])) == "awareness"
    assert waiting() == 0


def test_a_replay_that_meets_an_error_of_the_programs_own_stops_and_parks_nobody() -> None:
    answered(*BROKEN, *HEALTHY)
    settle()
    damage()
    with pytest.raises(ProgramFaultError, match="InvalidOperation"):
        replay_all()
    assert not Parked.objects.exists()
    mend()
    assert replay_all().rows_changed == 0

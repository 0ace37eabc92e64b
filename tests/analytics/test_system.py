"""The system page tells an admin what stands still."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from clm.lib.access.models import User
from customers.ingest import clock
from customers.models import Installation
from lifecycle.models import Pulse
from lifecycle.pulse import TICK, WORKER, beating, pulse, silence

pytestmark = pytest.mark.django_db

TICK_STILL, WORKERS_STILL, PRIVATE = "Nobody brings customers", "No wake-up has been", "its own private servers"


@pytest.fixture
def page() -> str:
    Installation.objects.create(currency="GBP")
    client = Client()
    client.force_login(User.objects.create_user("admin@example.org", role="admin"))
    return client.get("/system/").content.decode()


class TestParts:
    @pytest.fixture(autouse=True)
    def pulses(self) -> None:
        pulse(part=TICK)
        Pulse.objects.create(part=WORKER, at=clock() - timedelta(seconds=settings.CLM_PULSE_SECONDS + 5))

    def test_a_part_that_has_not_been_seen_for_long_is_told(self, page: str) -> None:
        assert TICK_STILL not in page
        assert WORKERS_STILL in page

    def test_a_sign_of_life_is_written_once_and_then_not_at_every_turn(self, django_assert_num_queries) -> None:
        beat = beating(WORKER)
        beat()
        with django_assert_num_queries(0):
            beat()
        assert silence(part=WORKER) < 5
        assert Pulse.objects.count() == 2


def test_parts_that_never_ran_are_told_and_private_servers_are_too(page: str) -> None:
    assert TICK_STILL in page
    assert WORKERS_STILL in page
    assert (PRIVATE in page) is (settings.EMBEDDED_POSTGRES or settings.EMBEDDED_VALKEY)

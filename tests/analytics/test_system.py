"""The system page tells an admin what stands still."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from analytics.days.declared import PACKS, STAGES
from analytics.models import Counting
from analytics.system import system_state
from clm.lib.access.models import User
from clm.lib.templatetags.numbers import number
from customers.ingest import clock
from customers.merge import merge
from customers.models import Installation
from lifecycle.models import Pulse
from lifecycle.pulse import TICK, WORKER, beating, pulse, silence
from tests.factories import make_customer

pytestmark = pytest.mark.django_db

TICK_STILL, WORKERS_STILL, PRIVATE = "Stages stand still", "The figures per day may stand still", "a private database"
MANUAL = (settings.BASE_DIR / "docs" / "operations.md").read_text()


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


def test_what_the_manual_tells_to_watch_is_called_so_on_the_page(page: str) -> None:
    watched = MANUAL[MANUAL.index("What to watch besides") : MANUAL.index("## The log")]
    names = re.findall(r"\*([A-Z][^*]+)\*", watched)
    assert len(names) == 4
    assert [name for name in names if name not in page] == []


def test_customers_who_became_part_of_others_are_not_counted() -> None:
    first, second = make_customer(), make_customer()
    merge(customers=(first, second), now=clock(), reason="the same")
    state = system_state()
    assert (state.customers, state.touchpoints) == (1, 2)


def test_how_far_a_long_count_is_stands_on_the_page() -> None:
    for _ in range(4):
        last = make_customer()
    begun = clock() - timedelta(minutes=30)
    today = begun.date()
    for version, done in ((1, last), (2, last - 2)):
        Counting.objects.create(
            statistic=STAGES.name, version=version, state="started", basis="", known_at=begun, last_day=today,
            next_customer=done + 1, started_at=begun,
        )  # fmt: skip
    Counting.objects.create(statistic=PACKS.name, version=0, state="started", basis="", known_at=begun, last_day=today)
    stages, packs = system_state().counting
    assert (stages.customers_done, stages.customers, stages.started_at) == (last - 2, last, begun)
    left = timedelta(minutes=30) * 2 / (last - 2)
    assert stages.ready_at is not None
    assert abs(stages.ready_at - clock() - left) < timedelta(seconds=20)
    assert packs.ready_at is None  # nobody knows yet
    client = Client()
    client.force_login(User.objects.create_user("admin@example.org", role="admin"))
    page = client.get("/system/").content.decode()
    assert f"{number(last - 2)} of {number(last)} customers" in page
    assert "Ready in" in page or "Ready now" in page
    Counting.objects.update(state="done")
    assert "being counted" not in client.get("/system/").content.decode()

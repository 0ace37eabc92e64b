"""Receivers on this machine, which installations of tests may reach, and what makes events."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from campaigns.models import Delivery, Endpoint
from campaigns.outgoing.deliver import deliver
from campaigns.outgoing.events import TYPES
from campaigns.outgoing.keeping import create_endpoint
from campaigns.outgoing.plan import plan
from customers.events import Event
from customers.ingest import clock
from lifecycle.announce import sequence
from tests.lifecycle.conftest import side, spawn  # noqa: F401 (fixtures)
from tests.lifecycle.making import ago, happened, settle, tell

from .sink import Sink

Make = Callable[..., tuple[Endpoint, str]]


@pytest.fixture(autouse=True)
def this_machine_may_be_reached(settings: Any) -> None:
    settings.CLM_WEBHOOK_NETWORKS = ["127.0.0.0/8", "::1/128"]
    settings.CLM_WEBHOOK_SECONDS = 3.0


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def make_endpoint(sink: Sink) -> Make:
    """`make_endpoint(events=[...])`: an endpoint at the sink, and its secret."""

    def make(**told: Any) -> tuple[Endpoint, str]:
        plan()  # the reading begins
        return create_endpoint(told={"url": sink.url(), "events": list(TYPES), **told}, now=clock())

    return make


def signup(person: str, **more: Any) -> Any:
    return happened(person, "Signed Up", ago(minutes=5), traits={"name": f"Name of {person}"}, **more)


def order(person: str, **of: float) -> Any:
    return happened(person, "Order Completed", ago(**(of or {"minutes": 1})), amount=1_000)


def live(*events: Event, **more: Any) -> None:
    """Something happens, and everybody is brought up to date."""
    tell(*events, **more)
    settle()
    while sequence():
        pass


def told(seconds: float = 20.0) -> int:
    """Deliver until nothing is due; how many attempts."""
    made = 0
    while step := deliver(seconds=seconds):
        made += step
    return made


def now_due() -> None:
    """As if the time until the next attempts had passed."""
    Delivery.objects.filter(state="waiting").update(due_at=clock())
    Endpoint.objects.update(paused_until=None)

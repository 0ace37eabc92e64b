"""A broker that is frozen while something is acknowledged: whoever takes messages goes on when it is back."""

import os
import signal
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from clm.celery import app
from clm.embedded.servers import Embedded
from clm.lib.processes import wait_until

OPTIONS = {**app.conf.broker_transport_options, "socket_timeout": 1.5}
BEYOND = 5.0  # seconds


@pytest.mark.parametrize("told", ["ack", "reject", "requeue"])
def test_a_place_is_free_again_when_what_was_told_of_its_message_is_lost(embedded: Embedded, told: str) -> None:
    embedded.ensure_valkey()
    broker = embedded.valkey.pid()
    assert broker is not None
    taken: list[Any] = []
    with Connection(embedded.valkey.celery_url(), transport_options=OPTIONS) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        queue = connection.SimpleQueue("places", channel=channel)
        queue.consumer.callbacks[:] = [lambda _body, message: taken.append(message)]
        queue.consumer.consume()
        queue.put("first")
        assert wait_until(lambda: drained(connection, taken, 1), seconds=BEYOND, every=0.01)
        os.kill(broker, signal.SIGSTOP)
        try:
            with pytest.raises(connection.connection_errors):
                taken[0].ack() if told == "ack" else taken[0].reject(requeue=told == "requeue")
        finally:
            os.kill(broker, signal.SIGCONT)
        with Connection(embedded.valkey.celery_url()) as other:
            other.SimpleQueue("places").put("second")
        assert wait_until(lambda: drained(connection, taken, 2), seconds=BEYOND, every=0.01)
    assert [message.payload for message in taken] == ["first", "second"]


def drained(connection: Connection, taken: list[Any], count: int) -> bool:
    """Whether so many messages have come, after another look."""
    try:
        connection.drain_events(timeout=0.1)
    except (Empty, TimeoutError, *connection.connection_errors):
        pass
    return len(taken) >= count

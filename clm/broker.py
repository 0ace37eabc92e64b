"""The way to the broker: kombu's transport for Redis and Valkey, where a lost acknowledgement costs nothing but itself.

A worker takes no more messages than it has places (prefetch). Kombu gives a place back once the broker has confirmed an
acknowledgement; one that fails (a broker frozen or away for longer than `socket_timeout`) is logged and its place stays
taken for ever. As many of them as there are places, and the worker asks for nothing any more, not even when the broker
is back: it looks alive and does nothing. Here the place is given back whatever became of the acknowledgement; the
broker delivers that message again after the visibility timeout, as it would after a worker's death."""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual


class QoS(redis.QoS):
    """What was delivered to a worker and waits for its acknowledgement."""

    def ack(self, delivery_tag: Any) -> None:
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel


def use() -> None:
    """Addresses of Redis and Valkey lead here from now on (kombu takes a transport by the scheme of its address)."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"

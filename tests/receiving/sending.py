"""What the tests of ingestion send, and to whom."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from django.test import Client

from customers.models import Source
from customers.receiving.write_keys import create_source


class Sender:
    """A source with a write key, and a client that shows it."""

    def __init__(self, name: str = "Web shop") -> None:
        self.source, self.key = create_source(name=name)
        self.client = Client()

    @property
    def basic(self) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{self.key}:".encode()).decode()}

    def post(self, body: Any, path: str = "/v1/batch", **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, raw, "application/json", headers={**self.basic, **headers})

    def batch(self, *messages: Mapping[str, Any] | bytes, **envelope: Any) -> Any:
        """A batch of messages, given as objects or as JSON text."""
        texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in messages]
        head = json.dumps(envelope).encode()[1:-1]
        body = b'{"batch":[' + b",".join(texts) + b"]" + (b"," + head if head else b"") + b"}"
        return self.post(body)


def track(id: str, event: str = "Feature Used", *, user: str | None = "u1", **more: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": id, "event": event, "userId": user, **more}


def identify(id: str, *, user: str | None = "u1", **more: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": id, "userId": user, **more}


def source_named(key: str) -> Source:
    return Source.objects.get(key=key)

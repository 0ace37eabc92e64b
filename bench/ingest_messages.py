"""The batches that bench/ingest.py sends: 100 messages of about 560 bytes, of ten seven `track`, two `identify` with
changed traits, one `page`; of ten people eight known and two new. Pure: who is known is given, chance is seeded."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

MESSAGES = 100
_EVENTS = ("Product Viewed", "Product Added", "Feature Used", "Order Completed", "Article Completed")
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True)
class Person:
    """The ids somebody sends: a name of his own, and what his browser is known by ("" for none)."""

    user: str
    anonymous: str


class Batches:
    """Batches whose ids never come twice, whoever else has sent before: `name` stands in all of them."""

    def __init__(self, *, known: Sequence[Person], name: str, seed: int = 1) -> None:
        self.known, self.name, self.chance, self.number = known, name, random.Random(seed), 0

    def bodies(self, count: int, *, known: Sequence[Person] | None = None, new_share: float = 0.2) -> list[bytes]:
        """So many request bodies; `known` are the people to draw from, by default all who are known."""
        return [self._body(known or self.known, new_share) for _batch in range(count)]

    def _body(self, known: Sequence[Person], new_share: float) -> bytes:
        messages = [self._message(place, known, new_share) for place in range(MESSAGES)]
        self.chance.shuffle(messages)
        return json.dumps({"batch": messages, "sentAt": datetime.now(UTC).isoformat()}, separators=(",", ":")).encode()

    def _message(self, place: int, known: Sequence[Person], new_share: float) -> dict[str, Any]:
        self.number += 1
        unique = f"{self.name}-{self.number:09}"
        is_new = place % 10 < round(10 * new_share)
        person = Person(f"user-{unique}", f"browser-{unique}") if is_new else self.chance.choice(known)
        at = datetime.now(UTC) - timedelta(milliseconds=self.chance.randrange(2_000))
        message: dict[str, Any] = {
            "messageId": f"node-next-{self.number:013}-{unique}",
            "userId": person.user,
            **({"anonymousId": person.anonymous} if person.anonymous else {}),
            "timestamp": at.isoformat(),
            "context": {
                "library": {"name": "@segment/analytics-node", "version": "3.1.0"},
                "ip": f"203.0.113.{self.chance.randrange(256)}",
                "locale": "en-GB",
                "timezone": "Europe/London",
                "userAgent": _AGENT,
            },
        }
        # By the tens digit, so that people and kinds are drawn independently of each other.
        kind = place // 10
        if kind < 7:
            event = self.chance.choice(_EVENTS)
            sold = {"order_id": unique, "revenue": self.chance.randrange(100, 20_000) / 100, "currency": "EUR"}
            seen = {"name": "A thing with a name", "price": self.chance.randrange(100, 20_000) / 100, "position": 3}
            properties = {
                **(sold if event == "Order Completed" else seen),
                "category": self.chance.choice(("shoes", "books", "garden")),
                "sku": f"A-{self.chance.randrange(10_000)}",
                "path": f"/shop/{self.chance.randrange(10_000)}",
            }
            return {"type": "track", "event": event, "properties": properties, **message}
        if kind < 9:
            traits = {"plan": f"plan {self.chance.randrange(10**9)}", "logins": self.chance.randrange(10**9)}
            page = {"path": "/account/plans", "url": "https://shop.example.org/account/plans", "title": "Your plan"}
            message["context"]["page"] = page
            return {"type": "identify", "traits": traits, **message}
        properties = {
            "path": f"/articles/{self.chance.randrange(10_000)}",
            "url": f"https://shop.example.org/articles/{self.chance.randrange(10_000)}?utm_source=letter",
            "title": "What an article about something is called",
        }
        return {"type": "page", "name": "Article", "properties": properties, **message}

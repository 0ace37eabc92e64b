"""The client libraries themselves, unmodified, against a server of the program: every message exactly once."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import rudderstack.analytics.client as rudderstack
import segment.analytics.client as segment
from pytest_django.live_server_helper import LiveServer

from customers.events import message_hash
from customers.models import Reject, Touchpoint, TraitTelling
from tests.conftest import PROJECT
from tests.lasting import SOAKING

from .sending import Sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.lasting]
# `make soak` and whoever sets the variable send as many as the clients' queues hold.
MESSAGES = int(os.environ.get("CLM_CLIENT_MESSAGES", "10000" if SOAKING else "400"))


def mixed(client: Any, count: int) -> None:
    """As many messages of all kinds, of people who come back."""
    chance = random.Random(7)
    for number in range(count):
        user = f"user {chance.randrange(max(5, count // 10))}"
        both = {"user_id": user, "anonymous_id": f"device of {user}"}
        kind = chance.random()
        if kind < 0.6:
            client.track(event=chance.choice(["Order Completed", "Feature Used"]), properties={"total": number}, **both)
        elif kind < 0.8:
            client.identify(traits={"email": f"{user.replace(' ', '')}@example.org", "n": number}, **both)
        elif kind < 0.9:
            client.page(name="Home", properties={"path": "/"}, **both)
        elif kind < 0.95:
            client.screen(name="Start", **both)
        else:
            client.group(group_id=f"group {number % 7}", traits={"name": "G"}, **both)


def sent_by(make: Callable[..., Any], **options: Any) -> tuple[Counter[str], list[Exception]]:
    """What a client made of them: how often each message id was put on the way, and its errors."""
    failed: list[Exception] = []
    client = make(on_error=lambda error, _batch: failed.append(error), **options)
    put: Counter[str] = Counter()
    queued = client._enqueue

    def counted(message: dict[str, Any], *arguments: Any, **rest: Any) -> Any:
        answer = queued(message, *arguments, **rest)
        put[str((answer[1] if isinstance(answer, tuple) else message)["messageId"])] += 1
        return answer

    client._enqueue = counted
    mixed(client, MESSAGES)
    client.flush()
    client.join()
    return put, failed


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("library", ["segment", "rudderstack"])
def test_every_message_of_a_client_is_stored_exactly_once(live_server: LiveServer, library: str, gzip: bool) -> None:
    sender = Sender()
    if library == "segment":
        options: dict[str, Any] = {"host": live_server.url, "gzip": gzip}
        make: Callable[..., Any] = segment.Client
    else:
        options, make = {"host": live_server.url, "gzip": gzip}, rudderstack.Client
    put, failed = sent_by(make, write_key=sender.key, max_queue_size=MESSAGES + 1, **options)
    assert failed == []
    assert len(put) == put.total() == MESSAGES
    check_stored_once(put)


def test_every_message_of_segments_node_library_is_stored_exactly_once(live_server: LiveServer) -> None:
    sender = Sender()
    command = [node(), str(Path(__file__).with_name("send_with_node.mjs")), live_server.url, sender.key, str(MESSAGES)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["failed"] == 0, done.stderr
    assert len(told["ids"]) == len(set(told["ids"])) == MESSAGES
    check_stored_once(told["ids"])


def node() -> str:
    """The machine's Node, or the one that came with the packages where there is none."""
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    assert found, "Neither this machine nor its virtual environment has Node: make packages"
    return found


def check_stored_once(ids: Iterable[str]) -> None:
    stored = Counter(str(hashed) for hashed in Touchpoint.objects.values_list("message_hash", flat=True))
    stored.update(
        str(hashed) for hashed in TraitTelling.objects.exclude(message_hash=None).values_list("message_hash", flat=True)
    )
    assert not Reject.objects.exists()
    expected = {str(message_hash(one)) for one in ids}
    assert expected - stored.keys() == set()
    assert {stored[one] for one in expected} == {1}

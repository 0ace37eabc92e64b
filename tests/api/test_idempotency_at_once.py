"""Two requests with one idempotency key at the same time, each on a connection of its own."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from campaigns.models import Campaign
from clm.lib.access.models import ApiKey

pytestmark = pytest.mark.django_db(transaction=True)
CAMPAIGNS = "/api/v1/campaigns/"


def post(api: Client, address: str, told: Any, key: str) -> Any:
    return api.post(address, json.dumps(told), "application/json", headers={"Idempotency-Key": key})


@pytest.fixture
def elsewhere() -> Callable[[Callable[[], Any]], Any]:
    """Do something on a connection of its own, and wait for it."""

    def do(act: Callable[[], Any]) -> Any:
        done: list[Any] = []

        def run() -> None:
            try:
                done.append(act())
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(timeout=20)
        return done[0]

    return do


def test_simultaneous_requests_are_done_once() -> None:
    _key, secret = ApiKey.issue(name="both", role="admin")
    statuses: list[int] = []

    def send() -> None:
        client = Client(headers={"Authorization": f"Bearer {secret}"})
        try:
            statuses.append(post(client, CAMPAIGNS, {"key": "spring", "name": "Spring"}, "same").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Campaign.objects.count() == 1
    assert set(statuses) <= {201, 409}
    assert 201 in statuses


def test_a_request_that_meets_the_first_one_at_work_is_told_so(
    elsewhere: Callable[[Callable[[], Any]], Any],
) -> None:
    """The first request holds its place from its own transaction while the second one comes."""
    _key, secret = ApiKey.issue(name="both", role="admin")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    seen: list[Any] = []
    real = Campaign.save

    def slow(self: Campaign, *arguments: Any, **options: Any) -> None:
        if not seen:
            seen.append(None)
            seen[0] = elsewhere(lambda: post(client, CAMPAIGNS, {"key": "spring", "name": "Spring"}, "same"))
        real(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Campaign, "save", slow)
        first = post(client, CAMPAIGNS, {"key": "spring", "name": "Spring"}, "same")
    assert first.status_code == 201
    assert seen[0].status_code == 409
    assert "still being answered" in seen[0].json()["detail"]
    assert Campaign.objects.count() == 1

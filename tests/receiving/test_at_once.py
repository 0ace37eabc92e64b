"""Many at once: batches that overlap are stored once and never wait for each other in a circle."""

import random
import threading
from collections import Counter

import pytest
from django.db import connection, connections
from django.utils import timezone

from customers.models import Customer, Installation, Profile, Touchpoint, Trait, TraitTelling

from .sending import Sender, identify, track

pytestmark = pytest.mark.django_db(transaction=True)

THREADS, BATCHES = 6, 8


def test_overlapping_batches_of_hot_customers_store_every_message_once_without_a_deadlock() -> None:
    sender = Sender()
    Installation.current()
    at = timezone.now().isoformat()
    everything = []
    for number in range(150):
        user = f"u{number % 12}"
        both = {"user": user, "anonymousId": f"a {user}", "timestamp": at}
        told = identify(str(number), traits={"n": number}, **both) if number % 3 == 0 else track(str(number), **both)
        everything.append(told)
    answers: Counter[int] = Counter()
    deadlocks = _deadlocks()

    def send(seed: int) -> None:
        chance = random.Random(seed)
        own = Sender.__new__(Sender)
        own.source, own.key, own.client = sender.source, sender.key, type(sender.client)()
        try:
            for _batch in range(BATCHES):
                chosen = chance.sample(everything, 60)
                status = own.batch(*chosen).status_code
                while status in (429, 503):
                    answers[status] += 1
                    status = own.batch(*chosen).status_code
                answers[status] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sender.batch(*everything).status_code == 200
    assert answers[200] == THREADS * BATCHES
    assert answers.keys() <= {200, 429, 503}
    assert Touchpoint.objects.filter(type__name="Feature Used").count() == 100
    assert TraitTelling.objects.count() == 50
    assert Customer.objects.count() == Profile.objects.count() == 12
    assert Trait.objects.filter(key="n").count() == 4  # one instant, one value each
    assert _deadlocks() == deadlocks


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (count,) = cursor.fetchone()
    return int(count)

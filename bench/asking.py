"""What measurements on a database share: asking it, running commands beside it, storing touchpoints that wait to be
computed."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

from bench.measuring import PROJECT


def ask(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def manage(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(PROJECT / "manage.py"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def drain() -> None:
    """Work off whatever waits."""
    assert manage("advance").wait() == 0


def bench_source() -> int:
    from customers.models import Source

    return Source.objects.get_or_create(key="bench", defaults={"name": "bench"})[0].pk


def told(profiles: list[int], *, type: str = "Page Viewed", each: int = 1) -> None:
    """Store `each` touchpoints of the last minutes for these profiles, and mark them as changed, in random order."""
    from customers.models import TouchpointType

    number = TouchpointType.objects.get(name=type).pk
    ask(
        "INSERT INTO customers_touchpoint (profile_id, occurred_at, received_at, body_hash, message_hash, source_id,"
        " type_id, channel_id, flags, currency, order_ref, properties)"
        " SELECT profile, date_trunc('milliseconds', clock_timestamp()) - number * interval '1 second',"
        " clock_timestamp(), 1, gen_random_uuid(), %s, %s, 1, 0, '', '', '{}'"
        " FROM unnest(%s::bigint[]) AS profile, generate_series(0, %s - 1) AS number",
        bench_source(),
        number,
        profiles,
        each,
    )
    ask(
        "INSERT INTO customers_stale (profile_id, cause, attempts) SELECT profile, 1, 0"
        " FROM unnest(%s::bigint[]) AS profile, generate_series(1, %s) AS number ORDER BY random()",
        profiles,
        each,
    )


def some_profiles(count: int) -> list[int]:
    """Profiles picked at random, in random order; others each time, since a second touchpoint of a kind rarely changes
    a stage."""
    ((last,),) = ask("SELECT max(id) FROM customers_profile")
    wanted = random.sample(range(1, last + 1), min(last, count + count // 10 + 100))
    found = [one for (one,) in ask("SELECT id FROM customers_profile WHERE id = ANY(%s)", wanted)]
    random.shuffle(found)
    return found[:count]

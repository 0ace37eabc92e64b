"""The questions of bench/advance.py that need no large database: they make a small one of their own on the same server
and drop it. A process works on one database, so each is asked in a process of its own."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.asking import ask, told
from bench.measuring import PROJECT, measured, report, start_django

SMALL = "bench_advance"


@contextmanager
def small_database() -> Iterator[dict[str, str]]:
    """The environment of a process that works on a fresh database of the same server."""
    start_django()
    from django.conf import settings

    assert settings.EMBEDDED_POSTGRES, "the small database is made in the private PostgreSQL only"
    ask(f"DROP DATABASE IF EXISTS {SMALL} WITH (FORCE)")
    ask(f"CREATE DATABASE {SMALL}")
    try:
        yield {**os.environ, "CLM_DATABASE": SMALL}
    finally:
        ask(f"DROP DATABASE {SMALL} WITH (FORCE)")


def in_small_database(question: str) -> None:
    with small_database() as env:
        subprocess.run([sys.executable, str(PROJECT / "bench" / "advance.py"), f"{question}_here"], env=env, check=True)


def segment_rules(count: int) -> list[dict[str, Any]]:
    """As many different rules of a few nodes each."""
    from lifecycle.rules.nodes import ROLES

    return [
        {
            "all": [
                {"rule": "alive"},
                {"did": {"role": ROLES[number % 17]}, "at_least": 1 + number % 5, "within": f"{7 + number}d"},
                {"not": {"did": {"role": "refund"}, "within": f"{5 + number % 90}d"}},
            ]
        }
        for number in range(count)
    ]


def with_segments(count: int) -> None:
    from django.core.management import call_command

    from customers.ingest import clock
    from lifecycle.install import build, install, new_segment

    call_command("migrate", verbosity=0)
    install(now=clock())
    build(
        versions=[
            new_segment(key=f"segment-{number}", name=f"segment {number}", rule=rule)
            for number, rule in enumerate(segment_rules(count))
        ],
        now=clock(),
    )


def batch_here() -> None:
    start_django()
    with_segments(100)
    from lifecycle.advance import advance

    ask(
        "INSERT INTO customers_customer (id, created_at, name, email, phone, search_text)"
        " SELECT number, now(), '', '', '', '' FROM generate_series(1, 2000) AS number"
    )
    ask("INSERT INTO customers_profile (id, customer_id, created_at) SELECT id, id, now() FROM customers_customer")
    ask(
        "INSERT INTO customers_touchpoint (profile_id, occurred_at, received_at, amount, body_hash, message_hash,"
        " source_id, type_id, channel_id, flags, currency, order_ref, properties)"
        " SELECT profile, date_trunc('milliseconds', now() - random() * interval '730 days'), now(),"
        " (random() * 10000)::bigint, 1, gen_random_uuid(), 1, 1 + floor(random() * 60), 1, 0, 'EUR', '', '{}'"
        " FROM generate_series(1, 2000) AS profile, generate_series(1, 200)"
    )
    ask("INSERT INTO customers_stale (profile_id, cause, attempts) SELECT id, 4, 0 FROM customers_profile")
    ask("VACUUM ANALYZE")
    random_profiles = random.Random(3)
    while advance().customers:
        pass

    def one() -> None:
        assert advance().customers == 500

    result = measured(
        "a batch of 500 customers of 200 touchpoints, three models and 100 segments",
        one,
        before=lambda: told(random_profiles.sample(range(1, 2001), 500), type="Order Completed"),
        repeats=7,
        rows=500,
        unit="customers",
    )
    report("One batch, commit included", [result])


def compile_here() -> None:
    start_django()
    with_segments(500)
    from customers.models import TouchpointType
    from lifecycle import live

    def forget(*caches: Any) -> None:
        for cache in caches:
            cache.clear()

    numbers = iter(range(1000))
    results = [
        measured(
            "a process reads and compiles all rules",
            live.live,
            before=lambda: forget(live._seen, live._compiled, live._parsed),
            repeats=5,
        ),
        measured("it compiles them again", live.live, before=lambda: forget(live._seen, live._compiled), repeats=5),
        measured(
            "a type that no rule can tell from others has been sent",
            live.live,
            before=lambda: TouchpointType.objects.create(name=f"odd thing {next(numbers)}"),
            repeats=5,
        ),
        measured("nothing is new", live.live, repeats=5),
    ]
    report("Rules compiled: three models and 500 segments", results)

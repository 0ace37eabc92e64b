"""What is loaded about customers is what the tables hold, wherever their profiles lie."""

import numpy as np
import pytest
from django.db import connection

from lifecycle.ids import Ids
from lifecycle.load import load
from lifecycle.rules.evaluate import NO_LIFE, Catalogue, Membership, Program
from lifecycle.rules.parse import parse_rule

pytestmark = pytest.mark.django_db


def told(customers: int, random: np.random.Generator) -> None:
    """Customers 1.. with a profile each, 3 % of them merged into others near and far, three touchpoints a profile on
    average, some of them at one instant, and a few traits."""
    owner = np.arange(1, customers + 1)
    merged = random.random(customers) < 0.03
    owner[merged] = random.integers(1, customers + 1, merged.sum())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (id, created_at, name, email, phone, search_text)"
            " SELECT n, '2024-06-01'::timestamptz + n * interval '1 minute', '', '', '', ''"
            " FROM generate_series(1, %(n)s) AS n;"
            "INSERT INTO customers_profile (id, customer_id, created_at)"
            " SELECT 7 + n, owner, now() FROM unnest(%(owner)s::bigint[]) WITH ORDINALITY AS t (owner, n)",
            {"n": customers, "owner": owner.tolist()},
        )
        count = 3 * customers
        cursor.execute(
            "INSERT INTO customers_touchpoint (profile_id, occurred_at, received_at, amount, body_hash, message_hash,"
            " source_id, type_id, channel_id, flags, currency, order_ref, properties)"
            " SELECT profile, '2024-01-01'::timestamptz + hour * interval '1 hour', now(),"
            " CASE WHEN hour %% 3 = 0 THEN -n END, 1, gen_random_uuid(), 1, 1 + n %% 50, 1 + n %% 7, 0, 'EUR', '', '{}'"
            " FROM unnest(%(profile)s::bigint[], %(hour)s::bigint[]) WITH ORDINALITY AS t (profile, hour, n)",
            {
                "profile": (8 + random.integers(0, customers, count)).tolist(),
                "hour": random.integers(0, 9000, count).tolist(),
            },
        )
        cursor.execute(
            "INSERT INTO customers_trait (profile_id, key, value, set_at, last_seen_at, recorded_at)"
            " SELECT 7 + n, 'k' || n %% 3, '1', '2023-12-01'::timestamptz + n * interval '1 hour', now(), now()"
            " FROM generate_series(1, %s, 5) AS n",
            [customers],
        )


def in_the_tables(customers: list[int]) -> tuple[list[tuple[int, ...]], dict[int, int]]:
    """Of these customers: (customer, ms, type, channel, amount) of every touchpoint, and where each life begins."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id, (extract(epoch FROM occurred_at) * 1000)::bigint, type_id, channel_id,"
            " coalesce(amount, 0) FROM customers_touchpoint t JOIN customers_profile p ON p.id = t.profile_id"
            " WHERE customer_id = ANY(%s)",
            [customers],
        )
        rows = sorted(cursor.fetchall())
        cursor.execute(
            "SELECT c.id, (extract(epoch FROM least(min(c.created_at), min(occurred_at), min(set_at))) * 1000)::bigint"
            " FROM customers_customer c JOIN customers_profile p ON p.customer_id = c.id"
            " LEFT JOIN customers_touchpoint t ON t.profile_id = p.id"
            " LEFT JOIN customers_trait r ON r.profile_id = p.id WHERE c.id = ANY(%s) GROUP BY c.id",
            [customers],
        )
        return rows, dict(cursor.fetchall())


def program(*rules: dict[str, object]) -> Program:
    catalogue = Catalogue(types=((1, "Ordered", "purchase"),), channels=((2, "web"),))
    members = [Membership(parse_rule(rule, lapse_days=180)) for rule in rules]
    return Program(members, zone="UTC", catalogue=catalogue)


BY_CHANNEL = {"did": {"channel": "web"}}
BY_AMOUNT = {"spent": {}, "at_least": "10.00"}


@pytest.mark.parametrize("asked", ["everybody", "one bucket", "every ninth", "all but a few", "one", "strangers"])
def test_what_is_loaded_is_what_the_tables_hold(asked: str) -> None:
    random = np.random.default_rng(26)
    told(2000, random)
    customers = {
        "everybody": np.arange(1, 2001),
        "one bucket": np.arange(300, 1500),
        "every ninth": np.arange(5, 2000, 9),
        "all but a few": np.setdiff1d(np.arange(200, 1800), random.integers(200, 1800, 70)),
        "one": np.array([77]),
        "strangers": np.array([5000, 6000]),
    }[asked]
    random.shuffle(customers)

    loaded = load(customers=customers.tolist(), program=program(BY_CHANNEL, BY_AMOUNT))

    rows, lives = in_the_tables(customers.tolist())
    facts = loaded.facts
    ids = loaded.customers[facts.owner].tolist()
    columns = (facts.ms, facts.type, facts.channel, facts.amount)
    found = list(zip(ids, *(column.tolist() for column in columns), strict=True))
    assert sorted(found) == rows
    assert [row[:2] for row in found] == [row[:2] for row in rows]  # by owner and time
    assert loaded.customers.tolist() == sorted(customers.tolist())
    assert loaded.touchpoints.tolist() == np.bincount(facts.owner, minlength=len(customers)).tolist()
    begins = zip(loaded.customers.tolist(), facts.life.tolist(), strict=True)
    assert {customer: ms for customer, ms in begins if ms != NO_LIFE} == lives


@pytest.mark.parametrize("looked_at", [(), ("channel",), ("amount",), ("channel", "amount")])
def test_what_no_rule_looks_at_is_not_loaded(looked_at: tuple[str, ...]) -> None:
    told(50, np.random.default_rng(26))
    rules = {"channel": BY_CHANNEL, "amount": BY_AMOUNT}
    everything = load(customers=range(1, 51), program=program(*rules.values())).facts
    some = load(customers=range(1, 51), program=program(*(rules[name] for name in looked_at), {"did": {}})).facts
    assert everything.type.tolist() == some.type.tolist()
    for name in ("channel", "amount"):
        column = getattr(everything, name).tolist()
        assert any(column)
        assert getattr(some, name).tolist() == (column if name in looked_at else [0] * len(column))


def test_ids_that_lie_together_are_asked_for_by_their_range() -> None:
    together, scattered = np.arange(1000, 3000), np.arange(10_000, 90_000, 100)
    ids = Ids.of(np.concatenate([together, scattered, [5000]]))
    assert not ids.crowded
    parts = ids.parts
    assert sorted(np.concatenate([part.values for part in parts]).tolist()) == ids.values.tolist()
    assert [part.crowded for part in parts] == [True, False]
    assert (parts[0].named("n")["first"], parts[0].named("n")["last"], parts[0].named("n")["n"]) == (1000, 2999, [])
    assert parts[1].named("n")["n"] == [5000, *scattered.tolist()]


@pytest.mark.parametrize("ids", [range(100, 1100), range(100, 11_000, 11), [3, 900], []])
def test_the_place_of_an_id_is_its_position(ids: list[int]) -> None:
    given = np.array(ids, np.int64)
    asked = np.arange(-50, 12_000)
    places = Ids.of(given).places(asked)
    assert places.tolist() == [{one: place for place, one in enumerate(ids)}.get(one, -1) for one in asked.tolist()]

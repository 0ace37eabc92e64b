"""Fills an empty database with people who have a user id, an anonymous id and one touchpoint each, by plain SQL: the
small one of two sizes that bench/ingest.py compares."""

from bench.measuring import start_django

PEOPLE = """
INSERT INTO customers_customer (created_at, name, email, phone, search_text)
SELECT now(), '', '', '', '' FROM generate_series(1, %(people)s);
INSERT INTO customers_profile (customer_id, created_at) SELECT id, now() FROM customers_customer ORDER BY id;
INSERT INTO customers_identity (kind, value, profile_id, created_at)
SELECT kind, kind || ' ' || md5(id::text), id, now()
FROM customers_profile, unnest(ARRAY['user_id', 'anonymous_id']) AS kind;
INSERT INTO customers_touchpointtype (name, role, created_at) VALUES ('Page Viewed', 'visit', now());
INSERT INTO customers_channel (key) VALUES ('web');
INSERT INTO customers_source (key, name, kind, time_zone, currency, shift_days, is_simulated, write_key_hash,
                              former_key_hash, created_at)
VALUES ('before', 'Before', 'api', 'UTC', '', 0, false, '', '', now());
INSERT INTO customers_touchpoint (profile_id, occurred_at, received_at, body_hash, message_hash, source_id, type_id,
                                  channel_id, flags, currency, order_ref, properties)
SELECT profile.id, now() - random() * interval '1 year', now(), hashint8(profile.id), md5(profile.id::text)::uuid,
       source.id, type.id, channel.id, 0, '', '', '{"path": "/articles/1234", "title": "What it is called"}'
FROM customers_profile AS profile, customers_source AS source, customers_touchpointtype AS type,
     customers_channel AS channel;
"""


def fill(people: int) -> None:
    """So many customers with a touchpoint each, vacuumed."""
    start_django()
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        # References are right by construction; checking a million of them one by one takes longer than all else.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(PEOPLE, {"people": people})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")

-- The rows of one batch as they are, from one JSON parameter, into the tables with all their indexes and constraints: no
-- look-up, no repetition, no order. What no way of storing them can be faster than.
-- Parameters: rows (a JSON object of arrays, see ingest_ways.py), source.
WITH told AS MATERIALIZED (
    SELECT %(rows)s::json AS rows
), customer AS (
    INSERT INTO customers_customer (id, created_at, name, email, phone, search_text)
    SELECT t.*, '', '', '', ''
    FROM told, json_to_recordset(rows -> 'customers_customer') AS t (id bigint, created_at timestamptz)
), profile AS (
    INSERT INTO customers_profile (id, customer_id, created_at)
    SELECT t.*
    FROM told, json_to_recordset(rows -> 'customers_profile') AS t (
        id bigint, customer_id bigint, created_at timestamptz
    )
), identity AS (
    INSERT INTO customers_identity (kind, value, profile_id, created_at)
    SELECT t.*
    FROM told, json_to_recordset(rows -> 'customers_identity') AS t (
        kind text, value text, profile_id bigint, created_at timestamptz
    )
), touchpoint AS (
    INSERT INTO customers_touchpoint (
        profile_id, occurred_at, received_at, amount, body_hash, message_hash, source_id, type_id, channel_id, flags,
        currency, original_amount, order_ref, properties
    )
    SELECT t.profile_id, t.occurred_at, t.received_at, t.amount, t.body_hash, t.message_hash, %(source)s, t.type_id,
           t.channel_id, t.flags, t.currency, t.original_amount, t.order_ref, t.properties
    FROM told, json_to_recordset(rows -> 'customers_touchpoint') AS t (
        profile_id bigint, occurred_at timestamptz, received_at timestamptz, amount bigint, body_hash bigint,
        message_hash uuid, type_id int, channel_id smallint, flags smallint, currency text, original_amount numeric,
        order_ref text, properties jsonb
    )
), telling AS (
    INSERT INTO customers_traittelling (profile_id, told_at, traits, recorded_at, source_id, message_hash)
    SELECT t.profile_id, t.told_at, t.traits, t.recorded_at, %(source)s, t.message_hash
    FROM told, json_to_recordset(rows -> 'customers_traittelling') AS t (
        profile_id bigint, told_at timestamptz, traits jsonb, recorded_at timestamptz, message_hash uuid
    )
), trait AS (
    INSERT INTO customers_trait (profile_id, key, value, set_at, last_seen_at, recorded_at)
    SELECT t.*
    FROM told, json_to_recordset(rows -> 'customers_trait') AS t (
        profile_id bigint, key text, value jsonb, set_at timestamptz, last_seen_at timestamptz, recorded_at timestamptz
    )
), body AS (
    INSERT INTO customers_rawbody (received_at, source_id, message_hash, messages, body)
    SELECT t.received_at, %(source)s, t.message_hash, t.messages, decode(t.body, 'hex')
    FROM told, json_to_recordset(rows -> 'customers_rawbody') AS t (
        received_at timestamptz, message_hash uuid, messages uuid[], body text
    )
)
INSERT INTO customers_stale (profile_id, cause, attempts)
SELECT t.*
FROM told, json_to_recordset(rows -> 'customers_stale') AS t (profile_id bigint, cause smallint, attempts smallint)

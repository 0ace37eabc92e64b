-- Store touchpoints, their order lines, the values of named properties, and mark their profiles as changed, in one
-- statement, sorted by message so that overlapping batches wait for each other in one order.
-- One row per touchpoint stored: message_hash.
-- Parameters: source, at, touchpoints (JSON array of records, see ingest.py), named_properties (ids), property_names.
-- Index: message_is_stored_once.
WITH told AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(%(touchpoints)s::jsonb) AS t (
        message_hash uuid, body_hash bigint, profile bigint, type int, channel smallint, occurred_at timestamptz,
        amount bigint, original_amount numeric, currency text, order_ref text, flags smallint, cause smallint,
        properties jsonb, lines jsonb
    )
), stored AS (
    INSERT INTO customers_touchpoint (
        profile_id, occurred_at, received_at, amount, body_hash, message_hash, source_id, type_id, channel_id, flags,
        currency, original_amount, order_ref, properties
    )
    SELECT profile, occurred_at, %(at)s, amount, body_hash, message_hash, %(source)s, type, channel, flags,
           currency, original_amount, order_ref, properties
    FROM told
    ORDER BY message_hash
    ON CONFLICT (source_id, message_hash) DO NOTHING
    RETURNING id, message_hash, profile_id, occurred_at, type_id, channel_id, amount
), line AS (
    INSERT INTO customers_orderline (
        touchpoint_id, number, product, description, category, quantity, amount, cost, is_product
    )
    SELECT stored.id, line.number, line.product, line.description, line.category, line.quantity, line.amount, line.cost,
           line.is_product
    FROM stored
    JOIN told ON told.message_hash = stored.message_hash AND told.lines <> '[]'
    CROSS JOIN LATERAL jsonb_to_recordset(told.lines) AS line (
        number int, product text, description text, category text, quantity numeric, amount bigint, cost bigint,
        is_product boolean
    )
), named AS (
    INSERT INTO customers_propertyvalue (
        touchpoint_id, property_key_id, profile_id, type_id, channel_id, occurred_at, amount, kind, text
    )
    SELECT stored.id, key.id, stored.profile_id, stored.type_id, stored.channel_id, stored.occurred_at, stored.amount,
           CASE jsonb_typeof(told.properties -> key.name)
               WHEN 'string' THEN 1 WHEN 'number' THEN 2 WHEN 'boolean' THEN 3 ELSE 4 END,
           CASE WHEN jsonb_typeof(told.properties -> key.name) IN ('string', 'number', 'boolean')
               THEN told.properties ->> key.name ELSE '' END
    FROM stored
    JOIN told ON told.message_hash = stored.message_hash
    JOIN unnest(%(named_properties)s::int[], %(property_names)s::text[]) AS key (id, name)
        ON told.properties ? key.name AND jsonb_typeof(told.properties -> key.name) <> 'null'
), changed AS (
    INSERT INTO customers_stale (profile_id, cause, attempts)
    SELECT stored.profile_id, min(told.cause), 0
    FROM stored
    JOIN told ON told.message_hash = stored.message_hash
    GROUP BY stored.profile_id
    ORDER BY stored.profile_id
)
SELECT message_hash FROM stored

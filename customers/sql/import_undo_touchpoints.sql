-- Take touchpoints back, with their order lines, the values of their named properties and their raw bodies. One row: how
-- many there were, and how many of them are purchases or refunds of the given types.
-- Parameters: touchpoints (ids), types (of purchases and refunds).
-- Indexes: the primary keys, the order line's touchpoint, the raw body's message.
WITH gone AS (
    DELETE FROM customers_touchpoint WHERE id = ANY(%(touchpoints)s::bigint[])
    RETURNING id, source_id, message_hash, received_at, type_id
), lines AS (
    DELETE FROM customers_orderline WHERE touchpoint_id = ANY(%(touchpoints)s::bigint[])
), named AS (
    DELETE FROM customers_propertyvalue WHERE touchpoint_id = ANY(%(touchpoints)s::bigint[])
), raw AS (
    DELETE FROM customers_rawbody AS body USING gone
    WHERE body.received_at = gone.received_at AND body.source_id = gone.source_id
      AND body.message_hash = gone.message_hash
)
SELECT count(*), count(*) FILTER (WHERE type_id = ANY(%(types)s::int[])) FROM gone

-- Take touchpoints back, with their order lines and the values of their named properties. One row for each: when it
-- arrived, source, message_hash, whether it is a purchase or refund of the given types.
-- Parameters: touchpoints (ids), types (of purchases and refunds).
-- Indexes: the primary keys, the order line's touchpoint.
WITH gone AS (
    DELETE FROM customers_touchpoint WHERE id = ANY(%(touchpoints)s::bigint[])
    RETURNING received_at, source_id, message_hash, type_id = ANY(%(types)s::int[]) AS is_sale
), lines AS (
    DELETE FROM customers_orderline WHERE touchpoint_id = ANY(%(touchpoints)s::bigint[])
), named AS (
    DELETE FROM customers_propertyvalue WHERE touchpoint_id = ANY(%(touchpoints)s::bigint[])
)
SELECT received_at, source_id, message_hash, is_sale FROM gone

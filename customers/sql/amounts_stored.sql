-- The touchpoints of some types in a stretch of ids, with what their amounts are read from. One row: id, type, source,
-- occurred_at, amount, original amount, currency, order reference, flags, properties, their order lines as a JSON
-- array of [product, quantity, amount] (NULL: none).
-- Parameters: types (ids), after, upto (ids: after < id <= upto).
-- Index: the primary key of touchpoints; the order line's touchpoint.
SELECT touchpoint.id, touchpoint.type_id, touchpoint.source_id, touchpoint.occurred_at, touchpoint.amount,
       touchpoint.original_amount, touchpoint.currency, touchpoint.order_ref, touchpoint.flags,
       touchpoint.properties::text,
       (SELECT jsonb_agg(jsonb_build_array(line.product, line.quantity, line.amount) ORDER BY line.number)::text
        FROM customers_orderline AS line WHERE line.touchpoint_id = touchpoint.id)
FROM customers_touchpoint AS touchpoint
WHERE touchpoint.id > %(after)s AND touchpoint.id <= %(upto)s AND touchpoint.type_id = ANY(%(types)s::int[])
ORDER BY touchpoint.id

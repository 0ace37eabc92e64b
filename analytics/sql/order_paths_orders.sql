-- What some customers ordered, and what they gave back of orders by name. One row: customer, touchpoint, milliseconds since
-- 1970, amount (minor units, refunds negative), 1 for an order and 0 for a refund, and the order's name within its source
-- and profile ('' where it has none). Purchases without an amount above zero are no orders.
-- Parameters: customers, purchases, refunds (type ids).
-- Indexes: the profile's customer; touchpoint_replay, and the names from the table.
SELECT profile.customer_id, touchpoint.id, floor(extract(epoch FROM touchpoint.occurred_at) * 1000)::bigint,
       coalesce(touchpoint.amount, 0), (touchpoint.type_id = ANY(%(purchases)s::int[]))::int,
       CASE WHEN touchpoint.order_ref = '' THEN ''
            ELSE concat(touchpoint.profile_id, ' ', touchpoint.source_id, ' ', touchpoint.order_ref) END
FROM customers_profile AS profile
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
WHERE profile.customer_id = ANY(%(customers)s::bigint[])
  AND (touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0
       OR touchpoint.type_id = ANY(%(refunds)s::int[]) AND touchpoint.order_ref <> '')
ORDER BY profile.customer_id, touchpoint.occurred_at, touchpoint.id

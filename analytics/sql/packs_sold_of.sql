-- The purchases and refunds of some customers. One row: customer, occurred_at, amount, amount without lines that are not
-- products, 1 for a purchase and 0 for a refund; in order of customer and instant.
-- Parameters: customers, purchases, refunds (type ids).
-- Indexes: the profile's customer, touchpoint_replay; the order line's touchpoint.
SELECT profile.customer_id, touchpoint.occurred_at, coalesce(touchpoint.amount, 0),
       coalesce(touchpoint.amount, 0) - coalesce((
           SELECT sum(line.amount)::bigint
           FROM customers_orderline AS line
           WHERE line.touchpoint_id = touchpoint.id AND NOT line.is_product
       ), 0),
       (touchpoint.type_id = ANY(%(purchases)s::int[]))::int::smallint
FROM customers_profile AS profile
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
WHERE profile.customer_id = ANY(%(customers)s::bigint[])
  AND touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
ORDER BY profile.customer_id, touchpoint.occurred_at

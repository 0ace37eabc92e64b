-- What some customers ordered and gave back. One row: customer, touchpoint, amount (minor units, refunds negative), 1 for an
-- order and 0 for a refund, the instant it counts at (milliseconds since 1970), and the order's name within its source and
-- profile ('' where it has none). A refund that names an order of the same source and profile counts at that order's
-- instant, another at its own (the behavioural view). Purchases without an amount above zero are no orders. In order of
-- customer and of when it happened.
-- Parameters: customers, purchases, refunds (type ids).
-- Indexes: the profile's customer; touchpoint_replay, index-only to find them, then from the table.
WITH sold AS MATERIALIZED (
    SELECT DISTINCT profile.customer_id, touchpoint.profile_id, touchpoint.occurred_at
    FROM customers_profile AS profile
    JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
    WHERE profile.customer_id = ANY(%(customers)s::bigint[])
      AND (touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0
           OR touchpoint.type_id = ANY(%(refunds)s::int[]))
)
SELECT sold.customer_id, touchpoint.id, coalesce(touchpoint.amount, 0),
       (touchpoint.type_id = ANY(%(purchases)s::int[]))::int,
       floor(extract(epoch FROM coalesce(ordered.at, touchpoint.occurred_at)) * 1000)::bigint,
       CASE WHEN touchpoint.order_ref = '' THEN ''
            ELSE concat(touchpoint.profile_id, ' ', touchpoint.source_id, ' ', touchpoint.order_ref) END
FROM sold
CROSS JOIN LATERAL (
    SELECT id, profile_id, occurred_at, type_id, source_id, amount, order_ref
    FROM customers_touchpoint
    WHERE profile_id = sold.profile_id AND occurred_at = sold.occurred_at
    OFFSET 0
) AS touchpoint
LEFT JOIN LATERAL (
    SELECT min(purchase.occurred_at) AS at
    FROM customers_touchpoint AS purchase
    WHERE touchpoint.type_id = ANY(%(refunds)s::int[]) AND touchpoint.order_ref <> ''
      AND purchase.profile_id = touchpoint.profile_id AND purchase.type_id = ANY(%(purchases)s::int[])
      AND purchase.source_id = touchpoint.source_id AND purchase.order_ref = touchpoint.order_ref
) AS ordered ON true
WHERE touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0
   OR touchpoint.type_id = ANY(%(refunds)s::int[])
ORDER BY sold.customer_id, touchpoint.occurred_at, touchpoint.id

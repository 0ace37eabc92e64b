-- The purchases and refunds of a range of customers. One row: customer, occurred_at, amount, amount without lines that are
-- not products, 1 for a purchase and 0 for a refund.
-- Parameters: first, until (customer ids, half-open), purchases, refunds (type ids), known_at (received before it; an
-- amount that was converted from then on is 0).
-- Indexes: the profile's customer; touchpoint_replay, index-only to find them, then from the table; the order line's
-- touchpoint; amount_changed.
WITH sold AS MATERIALIZED (
    SELECT DISTINCT profile.customer_id, touchpoint.profile_id, touchpoint.occurred_at
    FROM customers_profile AS profile
    JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
    WHERE profile.customer_id >= %(first)s AND profile.customer_id < %(until)s
      AND touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
)
SELECT sold.customer_id, sold.occurred_at,
       CASE WHEN change.id IS NULL THEN coalesce(touchpoint.amount, 0) ELSE 0 END,
       CASE WHEN change.id IS NULL THEN coalesce(touchpoint.amount, 0) - coalesce((
           SELECT sum(line.amount)::bigint
           FROM customers_orderline AS line
           WHERE line.touchpoint_id = touchpoint.id AND NOT line.is_product
       ), 0) ELSE 0 END,
       (touchpoint.type_id = ANY(%(purchases)s::int[]))::int::smallint
FROM sold
CROSS JOIN LATERAL (
    SELECT id, received_at, type_id, amount
    FROM customers_touchpoint
    WHERE profile_id = sold.profile_id AND occurred_at = sold.occurred_at
    OFFSET 0
) AS touchpoint
LEFT JOIN customers_amountchange AS change
    ON change.touchpoint_id = touchpoint.id AND change.recorded_at >= %(known_at)s
WHERE touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[]) AND touchpoint.received_at < %(known_at)s

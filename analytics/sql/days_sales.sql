-- The purchases and refunds of some profiles. One row: profile, occurred_at, received_at, amount, amount without lines that
-- are not products, 1 for a purchase and 0 for a refund, when the amount was converted if that was from `since` on (the
-- year 1970 if not).
-- Parameters: profiles, purchases, refunds (type ids), since, known_at (received before it).
-- Indexes: touchpoint_replay, index-only to find them, then from the table; the order line's touchpoint; amount_changed.
WITH sold AS MATERIALIZED (
    SELECT DISTINCT profile_id, occurred_at
    FROM customers_touchpoint
    WHERE profile_id = ANY(%(profiles)s::bigint[]) AND type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
)
SELECT sold.profile_id, sold.occurred_at, touchpoint.received_at, coalesce(touchpoint.amount, 0),
       coalesce(touchpoint.amount, 0) - coalesce((
           SELECT sum(line.amount)::bigint
           FROM customers_orderline AS line
           WHERE line.touchpoint_id = touchpoint.id AND NOT line.is_product
       ), 0),
       (touchpoint.type_id = ANY(%(purchases)s::int[]))::int::smallint,
       coalesce(change.recorded_at, timestamptz '1970-01-01 00:00:00+00')
FROM sold
CROSS JOIN LATERAL (
    SELECT id, received_at, type_id, amount
    FROM customers_touchpoint
    WHERE profile_id = sold.profile_id AND occurred_at = sold.occurred_at
    OFFSET 0
) AS touchpoint
LEFT JOIN customers_amountchange AS change ON change.touchpoint_id = touchpoint.id AND change.recorded_at >= %(since)s
WHERE touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[]) AND touchpoint.received_at < %(known_at)s

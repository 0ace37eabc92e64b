-- The purchases and refunds of some profiles. One row: profile, occurred_at, received_at, amount, amount without lines that
-- are not products, 1 for a purchase and 0 for a refund.
-- Parameters: profiles, purchases, refunds (type ids), known_at (received before it).
-- Indexes: touchpoint_replay; the order line's touchpoint.
SELECT touchpoint.profile_id, touchpoint.occurred_at, touchpoint.received_at, coalesce(touchpoint.amount, 0),
       coalesce(touchpoint.amount, 0) - coalesce((
           SELECT sum(line.amount)::bigint
           FROM customers_orderline AS line
           WHERE line.touchpoint_id = touchpoint.id AND NOT line.is_product
       ), 0),
       (touchpoint.type_id = ANY(%(purchases)s::int[]))::int::smallint
FROM customers_touchpoint AS touchpoint
WHERE touchpoint.profile_id = ANY(%(profiles)s::bigint[])
  AND touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[]) AND touchpoint.received_at < %(known_at)s

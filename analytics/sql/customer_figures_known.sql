-- What one customer did until an instant, as known at another. One row: touchpoints, first, last, orders (purchases with
-- an amount above zero), revenue (purchases and refunds, minor units).
-- Parameters: profiles (those that were the customer's), purchases, refunds (type ids), as_of, known_at (of the arrival).
-- Indexes: touchpoint_replay; amount_changed.
SELECT count(*), min(occurred_at), max(occurred_at),
       count(*) FILTER (WHERE type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0 AND change.id IS NULL),
       coalesce(sum(touchpoint.amount) FILTER (
           WHERE type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[]) AND change.id IS NULL
       ), 0)::bigint
FROM customers_touchpoint AS touchpoint
LEFT JOIN customers_amountchange AS change
    ON change.touchpoint_id = touchpoint.id AND change.recorded_at > %(known_at)s
WHERE touchpoint.profile_id = ANY(%(profiles)s::bigint[]) AND occurred_at <= %(as_of)s AND received_at <= %(known_at)s

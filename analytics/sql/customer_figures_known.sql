-- What one customer did until an instant, as known at another. One row: touchpoints, first, last, orders (purchases with
-- an amount above zero), revenue (purchases and refunds, minor units).
-- Parameters: profiles (those that were the customer's), purchases, refunds (type ids), as_of, known_at (of the arrival).
-- Index: touchpoint_replay.
SELECT count(*), min(occurred_at), max(occurred_at),
       count(*) FILTER (WHERE type_id = ANY(%(purchases)s::int[]) AND amount > 0),
       coalesce(sum(amount) FILTER (WHERE type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])), 0)::bigint
FROM customers_touchpoint
WHERE profile_id = ANY(%(profiles)s::bigint[]) AND occurred_at <= %(as_of)s AND received_at <= %(known_at)s

-- What one customer did until an instant, as known at another. One row: touchpoints, first, last, orders (purchases with
-- an amount above zero), revenue (purchases and refunds, minor units), waiting (purchases whose money had no rate).
-- Parameters: profiles (those that were the customer's), purchases, refunds (type ids), as_of, known_at (of the arrival).
-- Indexes: touchpoint_replay; amount_changed.
SELECT count(*), min(occurred_at), max(occurred_at),
       count(*) FILTER (WHERE type_id = ANY(%(purchases)s::int[]) AND known.amount > 0),
       coalesce(sum(known.amount) FILTER (
           WHERE type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
       ), 0)::bigint,
       count(*) FILTER (
           WHERE type_id = ANY(%(purchases)s::int[]) AND known.amount IS NULL AND original_amount IS NOT NULL
       )
FROM customers_touchpoint AS touchpoint
LEFT JOIN (
    SELECT DISTINCT ON (touchpoint_id) touchpoint_id, amount_before
    FROM customers_amountchange
    WHERE recorded_at > %(known_at)s
    ORDER BY touchpoint_id, recorded_at, id
) AS change ON change.touchpoint_id = touchpoint.id
CROSS JOIN LATERAL (
    SELECT CASE WHEN change.touchpoint_id IS NULL THEN touchpoint.amount ELSE change.amount_before END AS amount
) AS known
WHERE touchpoint.profile_id = ANY(%(profiles)s::bigint[]) AND occurred_at <= %(as_of)s AND received_at <= %(known_at)s

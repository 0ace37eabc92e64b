-- What some customers did, from the covering index alone. One row: customer, touchpoints, first, last, orders (purchases
-- with an amount above zero), revenue (purchases and refunds, minor units), unpriced (purchases without an amount).
-- Parameters: customers, purchases, refunds (type ids), as_of (NULL: everything).
-- Indexes: the profile's customer; touchpoint_replay, index-only.
SELECT profile.customer_id, count(*), min(touchpoint.occurred_at), max(touchpoint.occurred_at),
       count(*) FILTER (WHERE touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0),
       coalesce(sum(touchpoint.amount) FILTER (
           WHERE touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
       ), 0)::bigint,
       count(*) FILTER (WHERE touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount IS NULL)
FROM customers_profile AS profile
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
WHERE profile.customer_id = ANY(%(customers)s::bigint[])
  AND (%(as_of)s::timestamptz IS NULL OR touchpoint.occurred_at <= %(as_of)s)
GROUP BY profile.customer_id

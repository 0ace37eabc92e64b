-- Of how many orders of some customers the money waits for an exchange rate. One row: customer, orders; none for whoever
-- has no such order.
-- Parameters: customers, purchases (type ids), as_of (NULL: everything).
-- Indexes: the profile's customer; touchpoint_replay or touchpoint_unconverted, whichever is the shorter way.
SELECT profile.customer_id, count(*)
FROM customers_profile AS profile
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
WHERE profile.customer_id = ANY(%(customers)s::bigint[]) AND touchpoint.type_id = ANY(%(purchases)s::int[])
  AND touchpoint.amount IS NULL AND touchpoint.original_amount IS NOT NULL
  AND (%(as_of)s::timestamptz IS NULL OR touchpoint.occurred_at <= %(as_of)s)
GROUP BY profile.customer_id

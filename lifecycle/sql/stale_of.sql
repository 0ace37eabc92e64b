-- What is new about some customers, read after they are locked: customer, Stale id, cause; in no promised order.
-- Parameters: first, last (the range of customer ids), crowded (all of them), customers (or these).
-- Indexes: the profile's customer, stale_of_profile.
SELECT profile.customer_id, stale.id, stale.cause
FROM customers_profile AS profile
JOIN customers_stale AS stale ON stale.profile_id = profile.id
WHERE profile.customer_id BETWEEN %(first)s AND %(last)s
  AND (%(crowded)s OR profile.customer_id = ANY(%(customers)s))

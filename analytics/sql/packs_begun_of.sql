-- When some customers were touched first and signed up. One row: customer, first instant, instant of signing up (infinity:
-- never).
-- Parameters: customers, signups (type ids).
-- Indexes: the profile's customer; touchpoint_replay, index-only.
SELECT profile.customer_id, min(touchpoint.occurred_at),
       coalesce(min(touchpoint.occurred_at) FILTER (WHERE touchpoint.type_id = ANY(%(signups)s::int[])), 'infinity')
FROM customers_profile AS profile
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
WHERE profile.customer_id = ANY(%(customers)s::bigint[])
GROUP BY profile.customer_id
ORDER BY profile.customer_id

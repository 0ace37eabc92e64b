-- When some customers were touched by what, before an instant of each. One row: customer, type, the first instant.
-- Parameters: customers, instants (parallel arrays; milliseconds since 1970).
-- Indexes: the profile's customer; touchpoint_replay, index-only.
SELECT asked.customer_id, touchpoint.type_id, min(touchpoint.occurred_at)
FROM unnest(%(customers)s::bigint[], %(instants)s::bigint[]) AS asked (customer_id, before)
JOIN customers_profile AS profile ON profile.customer_id = asked.customer_id
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
WHERE touchpoint.occurred_at < timestamptz '1970-01-01 00:00:00+00' + asked.before * interval '1 millisecond'
GROUP BY asked.customer_id, touchpoint.type_id

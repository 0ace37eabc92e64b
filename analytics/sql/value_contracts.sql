-- When contracts of a range of customers began and were ended before an instant. One row: customer, instant, 1 for a
-- beginning and 0 for an end.
-- Parameters: first, until (customer ids, half-open), begins, ends (type ids), before.
-- Indexes: the profile's customer; touchpoint_replay, index-only.
SELECT profile.customer_id, touchpoint.occurred_at, (touchpoint.type_id = ANY(%(begins)s::int[]))::int::smallint
FROM customers_profile AS profile
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
WHERE profile.customer_id >= %(first)s AND profile.customer_id < %(until)s
  AND touchpoint.type_id = ANY(%(begins)s::int[] || %(ends)s::int[]) AND touchpoint.occurred_at < %(before)s

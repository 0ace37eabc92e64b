-- Of whom something that scores rest on arrived since an instant although it had happened before another. One row: customer.
-- Parameters: types (ids), since (received), before (happened).
-- Index: touchpoint_received (BRIN): rows lie in the order in which they arrived.
SELECT DISTINCT profile.customer_id
FROM customers_touchpoint AS touchpoint
JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
WHERE touchpoint.received_at >= %(since)s AND touchpoint.occurred_at < %(before)s
  AND touchpoint.type_id = ANY(%(types)s::int[])
ORDER BY 1

-- The profiles of which a purchase or a refund arrived. One row: profile.
-- Parameters: types, since, known_at (received in [since, known_at)).
-- Index: touchpoint_received (BRIN): rows lie in the order in which they arrived.
SELECT DISTINCT profile_id
FROM customers_touchpoint
WHERE received_at >= %(since)s AND received_at < %(known_at)s AND type_id = ANY(%(types)s::int[])
ORDER BY profile_id

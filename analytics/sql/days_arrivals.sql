-- The profiles of which a purchase or a refund arrived, or whose money was converted. One row: profile.
-- Parameters: types, since, known_at (received, or converted, in [since, known_at)).
-- Indexes: touchpoint_received (BRIN): rows lie in the order in which they arrived; amount_changed.
SELECT profile_id
FROM customers_touchpoint
WHERE received_at >= %(since)s AND received_at < %(known_at)s AND type_id = ANY(%(types)s::int[])
UNION
SELECT profile_id
FROM customers_amountchange
WHERE recorded_at >= %(since)s AND recorded_at < %(known_at)s
ORDER BY profile_id

-- The profiles of which a purchase or a refund arrived, or whose money was converted. One row: profile, whether something
-- arrived (if not, money was only converted).
-- Parameters: types, since, known_at (received, or converted, in [since, known_at)).
-- Indexes: touchpoint_received (BRIN): rows lie in the order in which they arrived; amount_changed.
SELECT profile_id, bool_or(has_arrived)
FROM (
    SELECT profile_id, true AS has_arrived
    FROM customers_touchpoint
    WHERE received_at >= %(since)s AND received_at < %(known_at)s AND type_id = ANY(%(types)s::int[])
    UNION ALL
    SELECT profile_id, false
    FROM customers_amountchange
    WHERE recorded_at >= %(since)s AND recorded_at < %(known_at)s
) AS touched
GROUP BY profile_id
ORDER BY profile_id

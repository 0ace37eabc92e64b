-- Whose place in sorted lists may have changed: customers of whom anything arrived, whose money was converted, whose
-- portrait changed, or who gave or got a profile. One row: customer.
-- Parameters: since, known_at (arrived in [since, known_at), portrayed from since on), moves_seen (the last ProfileMove
-- that is counted).
-- Indexes: touchpoint_received (BRIN), amount_changed, customer_portrayed, the primary keys of moves and profiles.
SELECT profile.customer_id
FROM (
    SELECT DISTINCT profile_id FROM customers_touchpoint
    WHERE received_at >= %(since)s AND received_at < %(known_at)s
    UNION
    SELECT profile_id FROM customers_amountchange
    WHERE recorded_at >= %(since)s AND recorded_at < %(known_at)s
) AS arrived
JOIN customers_profile AS profile ON profile.id = arrived.profile_id
UNION
SELECT id FROM customers_customer WHERE portrayed_at >= %(since)s
UNION
SELECT unnest(ARRAY[from_customer_id, to_customer_id]) FROM customers_profilemove WHERE id > %(moves_seen)s
ORDER BY 1

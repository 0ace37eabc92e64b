-- Who may have begun earlier than was known at an instant: of whom something arrived, or who gave or got a profile. One
-- row: customer.
-- Parameters: since (received from then on), moves_seen (the last ProfileMove that is counted).
-- Indexes: touchpoint_received (BRIN), the primary keys of moves and profiles.
SELECT profile.customer_id
FROM (SELECT DISTINCT profile_id FROM customers_touchpoint WHERE received_at >= %(since)s) AS arrived
JOIN customers_profile AS profile ON profile.id = arrived.profile_id
UNION
SELECT unnest(ARRAY[from_customer_id, to_customer_id]) FROM customers_profilemove WHERE id > %(moves_seen)s
ORDER BY 1

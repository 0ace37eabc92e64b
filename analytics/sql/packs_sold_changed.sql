-- Whose purchases and refunds may be others since an instant: of whom one arrived, whose money was converted, or who
-- gave or got a profile. One row: customer.
-- Parameters: types, since (received or converted from then on), moves_seen (the last ProfileMove that is counted).
-- Indexes: touchpoint_received (BRIN), amount_changed, the primary keys of moves and profiles.
SELECT profile.customer_id
FROM (
    SELECT profile_id FROM customers_touchpoint
    WHERE received_at >= %(since)s AND type_id = ANY(%(types)s::int[])
    UNION
    SELECT profile_id FROM customers_amountchange WHERE recorded_at >= %(since)s
) AS arrived
JOIN customers_profile AS profile ON profile.id = arrived.profile_id
UNION
SELECT unnest(ARRAY[from_customer_id, to_customer_id]) FROM customers_profilemove WHERE id > %(moves_seen)s
ORDER BY 1

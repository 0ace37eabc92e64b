-- Whose place in sorted lists may have changed: customers of whom anything arrived, whose money was converted, whose
-- portrait changed, or who gave or got a profile. One row: customer; 0 where touchpoints without money are all that came, 1
-- otherwise; when the last of them happened.
-- Parameters: types (ids of purchases and refunds), since, known_at (arrived in [since, known_at), portrayed from since on),
-- moves_seen (the last ProfileMove that is counted).
-- Indexes: touchpoint_received (BRIN), amount_changed, customer_portrayed, the primary keys of moves and profiles.
SELECT customer_id, max(is_more)::smallint, max(last_at)
FROM (
    SELECT profile.customer_id, arrived.is_more, arrived.last_at
    FROM (
        SELECT profile_id, max((type_id = ANY(%(types)s::int[]))::int) AS is_more, max(occurred_at) AS last_at
        FROM customers_touchpoint
        WHERE received_at >= %(since)s AND received_at < %(known_at)s
        GROUP BY profile_id
        UNION ALL
        SELECT profile_id, 1, timestamptz '1970-01-01 00:00:00+00'
        FROM customers_amountchange
        WHERE recorded_at >= %(since)s AND recorded_at < %(known_at)s
    ) AS arrived
    JOIN customers_profile AS profile ON profile.id = arrived.profile_id
    UNION ALL
    SELECT id, 1, timestamptz '1970-01-01 00:00:00+00' FROM customers_customer WHERE portrayed_at >= %(since)s
    UNION ALL
    SELECT unnest(ARRAY[from_customer_id, to_customer_id]), 1, timestamptz '1970-01-01 00:00:00+00'
    FROM customers_profilemove
    WHERE id > %(moves_seen)s
) AS touched
GROUP BY customer_id
ORDER BY customer_id

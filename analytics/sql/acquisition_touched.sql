-- Of whom something has arrived that the ways to orders rest on. One row: customer; 1 where money came or was converted or
-- a profile changed hands, 0 where contacts alone came; when the first and the last of the contacts that came happened
-- (the years 2200 and 1970 where none came).
-- Parameters: since, known_at (arrived in [since, known_at)), moves_seen (the last ProfileMove that is counted), purchases,
-- refunds, visits, exposures (type ids), silent (channel ids over which what is shown is no touch).
-- Indexes: touchpoint_received (BRIN), amount_changed, the primary keys of moves and profiles.
SELECT customer_id, max(is_more), min(first_at), max(last_at)
FROM (
    SELECT profile.customer_id, arrived.is_more, arrived.first_at, arrived.last_at
    FROM (
        SELECT profile_id, max((type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[]))::int)::smallint AS is_more,
               coalesce(
                   min(occurred_at) FILTER (WHERE type_id = ANY(%(visits)s::int[] || %(exposures)s::int[])),
                   timestamptz '2200-01-01 00:00:00+00'
               ) AS first_at,
               coalesce(
                   max(occurred_at) FILTER (WHERE type_id = ANY(%(visits)s::int[] || %(exposures)s::int[])),
                   timestamptz '1970-01-01 00:00:00+00'
               ) AS last_at
        FROM customers_touchpoint
        WHERE received_at >= %(since)s AND received_at < %(known_at)s
          AND (type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[] || %(visits)s::int[])
               OR type_id = ANY(%(exposures)s::int[]) AND channel_id <> ALL(%(silent)s::int[]))
        GROUP BY profile_id
    ) AS arrived
    JOIN customers_profile AS profile ON profile.id = arrived.profile_id
    UNION ALL
    SELECT profile.customer_id, 1::smallint, timestamptz '2200-01-01 00:00:00+00', timestamptz '1970-01-01 00:00:00+00'
    FROM customers_amountchange AS change
    JOIN customers_profile AS profile ON profile.id = change.profile_id
    WHERE change.recorded_at >= %(since)s AND change.recorded_at < %(known_at)s
    UNION ALL
    SELECT unnest(ARRAY[from_customer_id, to_customer_id]), 1::smallint, timestamptz '2200-01-01 00:00:00+00',
           timestamptz '1970-01-01 00:00:00+00'
    FROM customers_profilemove
    WHERE id > %(moves_seen)s
) AS told
GROUP BY customer_id
ORDER BY customer_id

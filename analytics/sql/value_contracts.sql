-- When contracts of a range of customers began and were ended before an instant. One row: customer, instant, 1 for a
-- beginning and 0 for an end.
-- Parameters: first, until (customer ids, half-open), begins, ends (type ids), before.
-- Indexes: the profile's customer; touchpoint_replay, index-only, profile by profile (OFFSET 0 keeps it so).
WITH person AS MATERIALIZED (
    SELECT id, customer_id
    FROM customers_profile
    WHERE customer_id >= %(first)s AND customer_id < %(until)s
)
SELECT person.customer_id, found.occurred_at, found.begins
FROM person
CROSS JOIN LATERAL (
    SELECT touchpoint.occurred_at, (touchpoint.type_id = ANY(%(begins)s::int[]))::int::smallint AS begins
    FROM customers_touchpoint AS touchpoint
    WHERE touchpoint.profile_id = person.id AND touchpoint.occurred_at < %(before)s
      AND touchpoint.type_id = ANY(%(begins)s::int[] || %(ends)s::int[])
    OFFSET 0
) AS found

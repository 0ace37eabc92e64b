-- Where the ways of some customers end by the facts. One row: customer, the instants of the first order and of the last (the
-- year 1970 for those who have none) and of the last contact that is a marketing touch (likewise).
-- Parameters: customers, purchases, visits, exposures (type ids), silent (channel ids over which what is shown is no
-- touch).
-- Indexes: the profile's customer; touchpoint_replay, index-only.
WITH person AS MATERIALIZED (
    SELECT id, customer_id FROM customers_profile WHERE customer_id = ANY(%(customers)s::bigint[])
)
SELECT person.customer_id,
       coalesce(
           min(touchpoint.occurred_at) FILTER (WHERE touchpoint.type_id = ANY(%(purchases)s::int[])),
           timestamptz '1970-01-01 00:00:00+00'
       ),
       coalesce(
           max(touchpoint.occurred_at) FILTER (WHERE touchpoint.type_id = ANY(%(purchases)s::int[])),
           timestamptz '1970-01-01 00:00:00+00'
       ),
       coalesce(
           max(touchpoint.occurred_at) FILTER (WHERE touchpoint.type_id <> ALL(%(purchases)s::int[])),
           timestamptz '1970-01-01 00:00:00+00'
       )
FROM person
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = person.id
WHERE touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0
   OR touchpoint.type_id = ANY(%(visits)s::int[])
   OR touchpoint.type_id = ANY(%(exposures)s::int[]) AND touchpoint.channel_id <> ALL(%(silent)s::int[])
GROUP BY person.customer_id
ORDER BY person.customer_id

-- Some customers were seen again, and nothing else is new that lists are sorted by. One row: customer, and whether the row
-- was written; false: none is kept of that customer. Rows that know of a later instant are left alone.
-- Parameters: customers, instants (parallel arrays, milliseconds since 1970).
-- Index: the primary key.
WITH asked AS MATERIALIZED (
    SELECT customer, at FROM unnest(%(customers)s::bigint[], %(instants)s::bigint[]) AS t (customer, at)
), written AS (
    UPDATE analytics_listed AS listed
    SET last_seen = asked.at
    FROM asked
    WHERE listed.customer_id = asked.customer AND listed.last_seen < asked.at
    RETURNING listed.customer_id
)
SELECT customer_id, true FROM written
UNION ALL
SELECT customer, false
FROM asked
WHERE NOT EXISTS (SELECT FROM analytics_listed AS listed WHERE listed.customer_id = asked.customer)

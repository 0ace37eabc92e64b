-- The customers who were in one of some stages at an instant and in one of some at a later one. One row: customer.
-- Parameters: version, first_at, second_at, sources, targets (stage ids; source 0: in none yet), segment, segment_in, as_of
-- (only customers in that segment at as_of; segment NULL: all).
-- Index: customer_enters_one_stage_at_an_instant, index-only.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), placed AS (
    SELECT DISTINCT ON (customer_id) customer_id, stage_id
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND superseded_at IS NULL AND entered_at <= %(second_at)s
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
    ORDER BY customer_id, entered_at DESC
), placed_before AS (
    SELECT DISTINCT ON (customer_id) customer_id, stage_id
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND superseded_at IS NULL AND entered_at <= %(first_at)s
    ORDER BY customer_id, entered_at DESC
)
SELECT placed.customer_id
FROM placed
LEFT JOIN placed_before ON placed_before.customer_id = placed.customer_id
WHERE placed.stage_id = ANY(%(targets)s::int[]) AND coalesce(placed_before.stage_id, 0) = ANY(%(sources)s::int[])
ORDER BY placed.customer_id

-- Where the customers of the end came from: stage at one instant and at a later one. One row: stage at the first
-- (NULL: none yet), stage at the second, customers.
-- Parameters: version, first_at, second_at, segment, segment_in, as_of (only customers in that segment at
-- as_of; segment NULL: all).
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
SELECT placed_before.stage_id, placed.stage_id, count(*)
FROM placed
LEFT JOIN placed_before ON placed_before.customer_id = placed.customer_id
GROUP BY placed_before.stage_id, placed.stage_id

-- How long customers who entered a stage in a period stayed in it: of each customer and stage the first spell that began
-- in [start_at, until_at). One row: stage, whole hours until it was left, or until as_of if it is not left; whether it
-- is left; customers; and who they are, of the one stage `listed` (NULL: of none).
-- Parameters: version, start_at, until_at, listed, segment, segment_in, as_of (only customers in that segment at as_of;
-- segment NULL: all).
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
), spell AS (
    SELECT customer_id, stage_id, entered_at,
           lead(entered_at) OVER (PARTITION BY customer_id ORDER BY entered_at) AS left_at
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
), begun AS (
    SELECT DISTINCT ON (customer_id, stage_id) customer_id, stage_id, entered_at, left_at
    FROM spell
    WHERE entered_at >= %(start_at)s AND entered_at < %(until_at)s
    ORDER BY customer_id, stage_id, entered_at
)
SELECT stage_id,
       floor(extract(epoch FROM coalesce(left_at, %(as_of)s) - entered_at) / 3600)::int AS hours,
       left_at IS NOT NULL AS is_left,
       count(*),
       array_agg(customer_id) FILTER (WHERE stage_id = %(listed)s)
FROM begun
GROUP BY stage_id, hours, is_left

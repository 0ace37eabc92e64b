-- How far customers who came to a step of a way in a period went on: of each customer and step the first time in
-- [start_at, until_at) that they entered its stage, and the first time after it that they entered the stage of any later
-- step. One row: stage, whole hours between the two, or until as_of if there is none; whether there is; customers; and
-- who they are, of the one stage `listed` (NULL: of none).
-- Parameters: version, steps (stage ids in the order of the way), start_at, until_at, listed, segment, segment_in, as_of
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
), entry AS (
    SELECT customer_id, stage_id, entered_at, array_position(%(steps)s::int[], stage_id) AS place
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
      AND stage_id = ANY(%(steps)s::int[])
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
), begun AS (
    SELECT DISTINCT ON (customer_id, place) customer_id, stage_id, place, entered_at
    FROM entry
    WHERE entered_at >= %(start_at)s AND entered_at < %(until_at)s
    ORDER BY customer_id, place, entered_at
), way AS (
    SELECT begun.customer_id, begun.stage_id, begun.entered_at,
           min(entry.entered_at) AS reached_at
    FROM begun
    LEFT JOIN entry ON entry.customer_id = begun.customer_id AND entry.place > begun.place
        AND entry.entered_at > begun.entered_at
    GROUP BY begun.customer_id, begun.stage_id, begun.entered_at
)
SELECT stage_id,
       floor(extract(epoch FROM coalesce(reached_at, %(as_of)s) - entered_at) / 3600)::int AS hours,
       reached_at IS NOT NULL AS is_reached,
       count(*),
       array_agg(customer_id) FILTER (WHERE stage_id = %(listed)s)
FROM way
GROUP BY stage_id, hours, is_reached

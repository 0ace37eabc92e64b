-- Moves between stages: the spells that begin in [start_at, until_at), as believed at known_at (NULL: now). One row:
-- stage left (NULL: none before), stage entered, moves, customers who made them.
-- Parameters: version, start_at, until_at, known_at, segment, segment_in, as_of (only customers in that segment at
-- as_of; segment NULL: all).
-- Index: customer_enters_one_stage_at_an_instant, index-only, for what is believed now.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND entered_at <= %(as_of)s
          AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN superseded_at IS NULL
                   ELSE recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s) END
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), spell AS (
    SELECT customer_id, stage_id, entered_at,
           lag(stage_id) OVER (PARTITION BY customer_id ORDER BY entered_at) AS left_stage_id
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND entered_at < %(until_at)s
      AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN superseded_at IS NULL
               ELSE recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s) END
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
)
SELECT left_stage_id, stage_id, count(*), count(DISTINCT customer_id)
FROM spell
WHERE entered_at >= %(start_at)s
GROUP BY left_stage_id, stage_id

-- How the number of customers in each stage changes between some instants, as believed at known_at (NULL: now). One row:
-- stage, place (0-based) of the first instant that sees the change, change. The count at instant i is the sum of the
-- changes at places 0 to i.
-- A spell counts at every instant t with entered_at <= t < left_at; instants and transitions are whole milliseconds.
-- Parameters: version, instants (ascending), known_at, segment, segment_in, as_of (only customers in that segment at
-- as_of; segment NULL: all).
-- Index: customer_enters_one_stage_at_an_instant, index-only, for what is believed now; earlier beliefs scan the
-- version's transitions, believed or not.
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
    SELECT stage_id, entered_at, lead(entered_at) OVER (PARTITION BY customer_id ORDER BY entered_at) AS left_at
    FROM lifecycle_transition
    WHERE version_id = %(version)s
      AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN superseded_at IS NULL
               ELSE recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s) END
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
), step AS (
    SELECT stage_id, entered_at AS at, 1 AS change FROM spell
    UNION ALL
    SELECT stage_id, left_at, -1 FROM spell WHERE left_at IS NOT NULL
)
SELECT stage_id,
       width_bucket(at - interval '1 millisecond', %(instants)s::timestamptz[]) AS place,
       sum(change)::bigint
FROM step
WHERE at <= (%(instants)s::timestamptz[])[cardinality(%(instants)s::timestamptz[])]
GROUP BY stage_id, place
ORDER BY stage_id, place

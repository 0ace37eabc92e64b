-- Who was active at the start and at the end of some periods. One row per period: number (1-based), started, ended, kept,
-- lost, first (active at the end for the first time in life), reactivated, came_and_went, active (at the start or at
-- some instant inside), and the ids of the customers of one group (NULL unless `listed` names it).
-- Active at t is being in the segment at t; the start and the end are taken one millisecond before they begin.
-- Parameters: version, inside (the segment's live version and its stage "in"), starts, untils (parallel arrays), listed
-- (group or NULL), segment, segment_in, as_of (only customers in that segment at as_of; segment NULL: all).
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
           lead(entered_at) OVER (PARTITION BY customer_id ORDER BY entered_at) AS left_at,
           min(entered_at) OVER (PARTITION BY customer_id) AS first_at
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND superseded_at IS NULL
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
), asked AS (
    SELECT * FROM unnest(%(starts)s::timestamptz[], %(untils)s::timestamptz[])
        WITH ORDINALITY AS period (start_at, until_at, number)
), customer AS (
    SELECT asked.number, spell.customer_id,
           bool_or(spell.entered_at < asked.start_at) AS at_start,
           bool_or(spell.left_at IS NULL OR spell.left_at >= asked.until_at) AS at_end,
           min(spell.first_at) >= asked.start_at AS is_first
    FROM spell
    JOIN asked ON spell.entered_at < asked.until_at
        AND (spell.left_at IS NULL OR spell.left_at >= asked.start_at)
    WHERE spell.stage_id = %(inside)s
    GROUP BY asked.number, asked.start_at, spell.customer_id
)
SELECT number,
       count(*) FILTER (WHERE at_start) AS started,
       count(*) FILTER (WHERE at_end) AS ended,
       count(*) FILTER (WHERE at_start AND at_end) AS kept,
       count(*) FILTER (WHERE at_start AND NOT at_end) AS lost,
       count(*) FILTER (WHERE at_end AND NOT at_start AND is_first) AS first,
       count(*) FILTER (WHERE at_end AND NOT at_start AND NOT is_first) AS reactivated,
       count(*) FILTER (WHERE NOT at_start AND NOT at_end) AS came_and_went,
       count(*) AS active,
       array_agg(customer_id) FILTER (
           WHERE CASE %(listed)s::text
               WHEN 'started' THEN at_start
               WHEN 'ended' THEN at_end
               WHEN 'kept' THEN at_start AND at_end
               WHEN 'lost' THEN at_start AND NOT at_end
               WHEN 'first' THEN at_end AND NOT at_start AND is_first
               WHEN 'reactivated' THEN at_end AND NOT at_start AND NOT is_first
               WHEN 'came_and_went' THEN NOT at_start AND NOT at_end
               WHEN 'stopped' THEN NOT at_end
               WHEN 'active' THEN true
           END
       ) AS customers
FROM customer
GROUP BY number
ORDER BY number

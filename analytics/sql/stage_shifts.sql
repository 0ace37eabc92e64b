-- Where the customers of the end came from: stage at one instant and at a later one, as believed at known_at (NULL: now).
-- One row: stage at the first (NULL: none yet), stage at the second, the customer (NULL unless is_listed), customers.
-- Parameters: version, first_at, second_at, known_at, is_listed (a row for each customer), sources, targets (only those
-- from and to these stages, 0: from none yet; NULL: all), segment, segment_in, as_of (only customers in that segment at
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
), placed AS (
    SELECT DISTINCT ON (customer_id) customer_id, stage_id
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND entered_at <= %(second_at)s
      AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN superseded_at IS NULL
               ELSE recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s) END
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
    ORDER BY customer_id, entered_at DESC
), placed_before AS (
    SELECT DISTINCT ON (customer_id) customer_id, stage_id
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND entered_at <= %(first_at)s
      AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN superseded_at IS NULL
               ELSE recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s) END
    ORDER BY customer_id, entered_at DESC
)
SELECT placed_before.stage_id, placed.stage_id, CASE WHEN %(is_listed)s THEN placed.customer_id END, count(*)
FROM placed
LEFT JOIN placed_before ON placed_before.customer_id = placed.customer_id
WHERE (%(targets)s::int[] IS NULL OR placed.stage_id = ANY(%(targets)s::int[]))
  AND (%(sources)s::int[] IS NULL OR coalesce(placed_before.stage_id, 0) = ANY(%(sources)s::int[]))
GROUP BY 1, 2, 3

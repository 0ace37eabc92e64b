-- Where some customers stood at an instant. One row: customer, version, stage, entered_at.
-- Parameters: customers, versions, as_of, known_at (NULL: what is believed now).
-- Indexes: customer_enters_one_stage_at_an_instant, transition_superseded.
SELECT DISTINCT ON (customer_id, version_id) customer_id, version_id, stage_id, entered_at
FROM lifecycle_transition
WHERE customer_id = ANY(%(customers)s::bigint[]) AND version_id = ANY(%(versions)s::int[]) AND entered_at <= %(as_of)s
  AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN superseded_at IS NULL
           ELSE recorded_at <= %(known_at)s AND (superseded_at IS NULL OR superseded_at > %(known_at)s) END
ORDER BY customer_id, version_id, entered_at DESC

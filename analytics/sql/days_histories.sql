-- What was ever believed of some customers since an instant. One row: customer, version, entered_at, stage, recorded_at,
-- superseded_at (the year 2200 for what still is); in no promised order.
-- Parameters: customers, versions, since.
-- Indexes: customer_enters_one_stage_at_an_instant, transition_superseded.
SELECT customer_id, version_id, entered_at, stage_id, recorded_at, timestamptz '2200-01-01 00:00:00+00'
FROM lifecycle_transition
WHERE customer_id = ANY(%(customers)s::bigint[]) AND version_id = ANY(%(versions)s::int[]) AND superseded_at IS NULL
UNION ALL
SELECT customer_id, version_id, entered_at, stage_id, recorded_at, superseded_at
FROM lifecycle_transition
WHERE customer_id = ANY(%(customers)s::bigint[]) AND version_id = ANY(%(versions)s::int[])
  AND superseded_at IS NOT NULL AND superseded_at >= %(since)s

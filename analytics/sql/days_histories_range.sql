-- What was believed at an instant of a range of customers. One row: customer, version, entered_at, stage; in no promised
-- order.
-- Parameters: first, until (customer ids, half-open), versions, known_at.
-- Indexes: customer_enters_one_stage_at_an_instant, transition_superseded.
SELECT customer_id, version_id, entered_at, stage_id
FROM lifecycle_transition
WHERE customer_id >= %(first)s AND customer_id < %(until)s AND version_id = ANY(%(versions)s::int[])
  AND superseded_at IS NULL AND recorded_at < %(known_at)s
UNION ALL
SELECT customer_id, version_id, entered_at, stage_id
FROM lifecycle_transition
WHERE customer_id >= %(first)s AND customer_id < %(until)s AND version_id = ANY(%(versions)s::int[])
  AND superseded_at IS NOT NULL AND superseded_at >= %(known_at)s AND recorded_at < %(known_at)s

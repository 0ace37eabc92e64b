-- The believed transitions of some customers: customer, version, entered_at, stage; in no promised order.
-- Parameters: first, last (the range of customer ids), crowded (all of them), customers (or these), versions.
-- Index: customer_enters_one_stage_at_an_instant, index-only.
SELECT customer_id, version_id, entered_at, stage_id
FROM lifecycle_transition
WHERE customer_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR customer_id = ANY(%(customers)s))
  AND version_id = ANY(%(versions)s) AND superseded_at IS NULL

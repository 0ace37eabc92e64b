-- What is believed of some customers under a version. One row: customer, entered_at, stage; in order of both.
-- Parameters: version, customers.  Index: customer_enters_one_stage_at_an_instant, index-only.
SELECT customer_id, entered_at, stage_id
FROM lifecycle_transition
WHERE customer_id = ANY(%(customers)s::bigint[]) AND version_id = %(version)s AND superseded_at IS NULL
ORDER BY customer_id, entered_at

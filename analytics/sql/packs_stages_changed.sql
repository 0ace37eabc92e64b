-- Of whom something else may be believed since an instant. One row: customer.
-- Parameters: version, since (recorded or given up from then on).
-- Index: transition_known (BRIN): rows lie in the order in which they were recorded.
SELECT DISTINCT customer_id
FROM lifecycle_transition
WHERE (recorded_at >= %(since)s OR superseded_at >= %(since)s) AND version_id = %(version)s
ORDER BY customer_id

-- Of whom something else is believed since an instant. One row: customer, version, cause (the first of the causes of
-- what was recorded; of a change that only gave up what was believed, the cause that it had been recorded with).
-- Parameters: versions, since, known_at (recorded or given up in [since, known_at)).
-- Index: transition_known (BRIN): rows lie in the order in which they were recorded.
SELECT customer_id, version_id, coalesce(min(cause) FILTER (WHERE recorded_at >= %(since)s), min(cause))
FROM lifecycle_transition
WHERE (recorded_at >= %(since)s OR superseded_at >= %(since)s)
  AND (recorded_at < %(known_at)s AND (recorded_at >= %(since)s OR superseded_at < %(known_at)s))
  AND version_id = ANY(%(versions)s)
GROUP BY customer_id, version_id
ORDER BY customer_id, version_id

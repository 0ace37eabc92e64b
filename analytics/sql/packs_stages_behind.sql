-- Whether anything else may be believed under a version since an instant. One row if so.
-- Parameters: version, since (recorded or given up from then on).
-- Index: transition_known (BRIN): rows lie in the order in which they were recorded.
SELECT 1
FROM lifecycle_transition
WHERE (recorded_at >= %(since)s OR superseded_at >= %(since)s) AND version_id = %(version)s
LIMIT 1

-- Customers about whom something new was learnt after an instant, or whom time alone moved since under the versions that
-- are live: who they are no longer follows from what was counted then. One row: customers.
-- Parameters: at, subjects (whose live versions count).
-- Indexes: touchpoint_received and transition_known, of the newest ranges of pages only; then the primary keys.
SELECT count(*)
FROM (
    SELECT profile.customer_id
    FROM (
        SELECT DISTINCT profile_id FROM customers_touchpoint WHERE received_at > %(at)s
    ) AS touched
    JOIN customers_profile AS profile ON profile.id = touched.profile_id
    UNION
    SELECT transition.customer_id
    FROM lifecycle_transition AS transition
    WHERE (transition.recorded_at > %(at)s OR transition.superseded_at > %(at)s)
      AND transition.version_id IN (
          SELECT live_version_id FROM lifecycle_subject WHERE id = ANY(%(subjects)s) AND live_version_id IS NOT NULL
      )
) AS customer

-- What each source has sent, as counted. One row: source, touchpoints, first occurred_at, last occurred_at, last received_at.
-- No parameters.  Reads one row per source and type.
SELECT source_id, sum(touchpoints)::bigint, min(first_at), max(last_at), max(received_at)
FROM analytics_seen
GROUP BY source_id
ORDER BY source_id

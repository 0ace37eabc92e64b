-- Add what arrived to what each source has ever sent.
-- Parameters: since (NULL: from the beginning), known_at (received in [since, known_at)).
-- Index: touchpoint_received (BRIN), the whole table the first time.
INSERT INTO analytics_seen AS seen (source_id, type_id, touchpoints, first_at, last_at, received_at)
SELECT source_id, type_id, count(*), min(occurred_at), max(occurred_at), max(received_at)
FROM customers_touchpoint
WHERE received_at >= coalesce(%(since)s::timestamptz, '-infinity') AND received_at < %(known_at)s
GROUP BY source_id, type_id
ORDER BY source_id, type_id
ON CONFLICT (source_id, type_id) DO UPDATE
SET touchpoints = seen.touchpoints + excluded.touchpoints,
    first_at = least(seen.first_at, excluded.first_at),
    last_at = greatest(seen.last_at, excluded.last_at),
    received_at = greatest(seen.received_at, excluded.received_at)

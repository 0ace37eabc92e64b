-- What arrived in a while about days that were over: how much, day by day. One row: day, touchpoints.
-- Parameters: types (ids), since, known_at (received in [since, known_at)), first, until (occurred in [first, until)), zone.
-- Index: touchpoint_received (BRIN): rows lie in the order in which they arrived.
SELECT (occurred_at AT TIME ZONE %(zone)s::text)::date AS day, count(*)
FROM customers_touchpoint
WHERE received_at >= %(since)s AND received_at < %(known_at)s
  AND occurred_at >= %(first)s AND occurred_at < %(until)s AND type_id = ANY(%(types)s::int[])
GROUP BY day
ORDER BY day

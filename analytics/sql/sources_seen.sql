-- What each source has sent. One row: source, touchpoints, first occurred_at, last occurred_at, last received_at.
-- No parameters.  Reads the whole touchpoint table.
SELECT source_id, count(*), min(occurred_at), max(occurred_at), max(received_at)
FROM customers_touchpoint
GROUP BY source_id
ORDER BY source_id

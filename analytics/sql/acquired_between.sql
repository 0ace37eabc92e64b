-- Customers whose first order lies in some days, and whose path has a channel. One row: customer, channels, ages in
-- seconds of the touches of the path.
-- Parameters: start, until (days, half-open), channel (0: any path, also an empty one).
-- Index: acquired_on_day.
SELECT customer_id, channels, ages
FROM analytics_acquired
WHERE is_paying AND day >= %(start)s AND day < %(until)s
  AND (%(channel)s = 0 OR %(channel)s = ANY(channels))
ORDER BY customer_id

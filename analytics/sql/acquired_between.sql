-- The paths of customers whose first order lies in some days and whose path has a channel. One row per touch within the
-- window, those of a customer one after the other in order of time: customer, channel, its age in seconds; of whoever has
-- none in it, one row with channel 0.
-- Parameters: start, until (days, half-open), channel (0: any path, also an empty one), seconds (the window).
-- Index: acquired_on_day.
SELECT acquired.customer_id, coalesce(touch.channel, 0::smallint), coalesce(touch.age, 0)
FROM analytics_acquired AS acquired
LEFT JOIN LATERAL unnest(acquired.channels, acquired.ages) AS touch (channel, age) ON touch.age < %(seconds)s
WHERE acquired.is_paying AND acquired.day >= %(start)s AND acquired.day < %(until)s
  AND (%(channel)s = 0 OR %(channel)s = ANY(acquired.channels))

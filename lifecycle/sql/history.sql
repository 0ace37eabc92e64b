-- The touchpoints of some profiles, as replay and advance read them. One row is a profile: its id, how many it has, and
-- their occurred_at, type, channel and amount, each strung together in order of time: most of the cost of a row is its
-- being one, and of a column its being sent. So few have an amount that only those are sent; the bits of their type are
-- turned over.
-- Parameters: first, last (the range of profile ids), crowded (all of them), profiles (or these); channels, amounts
-- (whether any rule looks at them).
-- Index: touchpoint_replay, index-only.
SELECT profile_id,
       count(*),
       string_agg(timestamptz_send(occurred_at), NULL),
       string_agg(int4send(CASE WHEN %(amounts)s AND amount IS NOT NULL THEN ~type_id ELSE type_id END), NULL),
       string_agg(int2send(channel_id), NULL) FILTER (WHERE %(channels)s),
       string_agg(int8send(amount), NULL) FILTER (WHERE %(amounts)s)
FROM (
    SELECT profile_id, occurred_at, type_id, channel_id, amount
    FROM customers_touchpoint
    WHERE profile_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR profile_id = ANY(%(profiles)s))
    ORDER BY profile_id, occurred_at
) AS touchpoint
GROUP BY profile_id
ORDER BY profile_id

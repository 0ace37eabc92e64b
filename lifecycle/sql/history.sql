-- The touchpoints of some profiles, as replay and advance read them. One row is a profile: its id, how many it has, and
-- their occurred_at, type, channel and amount, each strung together in order of time: most of the cost of a row is its
-- being one.
-- Parameters: first, last (the range of profile ids), crowded (all of them), profiles (or these).
-- Index: touchpoint_replay, index-only.
SELECT profile_id,
       count(*),
       string_agg(timestamptz_send(occurred_at), NULL),
       string_agg(int4send(type_id), NULL),
       string_agg(int2send(channel_id), NULL),
       string_agg(int8send(amount), NULL)
FROM (
    SELECT profile_id, occurred_at, type_id, channel_id, coalesce(amount, 0) AS amount
    FROM customers_touchpoint
    WHERE profile_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR profile_id = ANY(%(profiles)s))
    ORDER BY profile_id, occurred_at
) AS touchpoint
GROUP BY profile_id
ORDER BY profile_id

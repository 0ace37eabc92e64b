-- What was told of the scores of some profiles: profile, set_at, and the step of each score (0: not told), in order of
-- profile and time. Parameters: first, last (the range of profile ids), crowded (all of them), profiles (or these).
-- Index: the primary key.
SELECT profile_id, set_at, alive, risk, worth, recency, frequency, monetary
FROM customers_scorestep
WHERE profile_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR profile_id = ANY(%(profiles)s))
ORDER BY profile_id, set_at

-- When the first trait of some profiles was set: profile, set_at; profiles without any are left out.
-- Parameters: first, last (the range of profile ids), crowded (all of them), profiles (or these).
-- Index: trait_has_one_value_at_an_instant.
SELECT profile_id, min(set_at)
FROM customers_trait
WHERE profile_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR profile_id = ANY(%(profiles)s))
GROUP BY profile_id

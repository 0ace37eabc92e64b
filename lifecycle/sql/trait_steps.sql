-- The steps of named traits of some profiles: profile, key, kind (as PropertyValue.Kind; 0: null), text, set_at and
-- last_seen_at (ms since 1970). Parameters: first, last (the range of profile ids),
-- crowded (all of them), profiles (or these), keys (names).  Index: trait_has_one_value_at_an_instant.
SELECT trait.profile_id, trait.key,
       CASE jsonb_typeof(trait.value)
           WHEN 'string' THEN 1 WHEN 'number' THEN 2 WHEN 'boolean' THEN 3 WHEN 'object' THEN 4 WHEN 'array' THEN 4
           ELSE 0 END,
       CASE WHEN jsonb_typeof(trait.value) IN ('string', 'number', 'boolean') THEN trait.value #>> '{}' ELSE '' END,
       (extract(epoch FROM trait.set_at) * 1000)::bigint,
       (extract(epoch FROM trait.last_seen_at) * 1000)::bigint
FROM customers_trait AS trait
WHERE trait.profile_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR trait.profile_id = ANY(%(profiles)s))
  AND trait.key = ANY(%(keys)s)
ORDER BY trait.profile_id, trait.key, trait.set_at

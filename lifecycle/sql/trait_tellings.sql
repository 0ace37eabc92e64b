-- Everything ever told of named traits of some profiles, in order of time and of two at one instant in the order in which
-- they were recorded: profile, key, kind (as PropertyValue.Kind; 0: null), text, told_at (ms since 1970).
-- Parameters: profiles, keys.  Index: trait_telling_of_profile.
SELECT telling.profile_id, asked.key,
       CASE jsonb_typeof(telling.traits -> asked.key)
           WHEN 'string' THEN 1 WHEN 'number' THEN 2 WHEN 'boolean' THEN 3 WHEN 'object' THEN 4 WHEN 'array' THEN 4
           ELSE 0 END,
       CASE WHEN jsonb_typeof(telling.traits -> asked.key) IN ('string', 'number', 'boolean')
           THEN telling.traits ->> asked.key ELSE '' END,
       (extract(epoch FROM telling.told_at) * 1000)::bigint
FROM unnest(%(keys)s::text[]) AS asked (key)
JOIN customers_traittelling AS telling ON telling.profile_id = ANY(%(profiles)s) AND telling.traits ? asked.key
ORDER BY telling.told_at, telling.id

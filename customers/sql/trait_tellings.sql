-- Everything ever told of some traits, in the order in which it was recorded: profile, key, value (JSON text), told_at,
-- and all that was told with it (JSON text).
-- Parameters: profiles, keys (parallel arrays).  Index: trait_telling_of_profile.
SELECT asked.profile, asked.key, (telling.traits -> asked.key)::text, telling.told_at, telling.traits::text
FROM unnest(%(profiles)s::bigint[], %(keys)s::text[]) AS asked (profile, key)
JOIN customers_traittelling AS telling ON telling.profile_id = asked.profile AND telling.traits ? asked.key
ORDER BY telling.id

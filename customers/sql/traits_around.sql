-- The stored steps of some traits. One row: id, profile, key, value (JSON text), set_at, last_seen_at.
-- Parameters: profiles, keys (parallel arrays).  Index: trait_has_one_value_at_an_instant.
SELECT trait.id, trait.profile_id, trait.key, coalesce(trait.value, 'null')::text, trait.set_at, trait.last_seen_at
FROM (SELECT DISTINCT * FROM unnest(%(profiles)s::bigint[], %(keys)s::text[]) AS t (profile, key)) AS asked
JOIN customers_trait AS trait ON trait.profile_id = asked.profile AND trait.key = asked.key
ORDER BY trait.profile_id, trait.key, trait.set_at

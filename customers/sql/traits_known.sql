-- What is known, under the profiles' locks, before traits are told: the stored steps of those traits (what: step), which
-- of the profiles share their customer with others (shared), and which of some messages are stored already (known).
-- One row: what, id, profile, key, value (JSON text), set_at, last_seen_at, message_hash.
-- Parameters: profiles, keys (parallel arrays), source, messages (hashes).
-- Index: trait_has_one_value_at_an_instant, customers_profile_customer_id, message_is_stored_once, telling_is_stored_once.
SELECT 'step', trait.id, trait.profile_id, trait.key, coalesce(trait.value, 'null')::text, trait.set_at,
       trait.last_seen_at, NULL::uuid
FROM (SELECT DISTINCT * FROM unnest(%(profiles)s::bigint[], %(keys)s::text[]) AS t (profile, key)) AS asked
JOIN customers_trait AS trait ON trait.profile_id = asked.profile AND trait.key = asked.key
UNION ALL
SELECT 'shared', NULL, profile.id, NULL, NULL, NULL, NULL, NULL
FROM customers_profile AS profile
WHERE profile.id = ANY(%(profiles)s::bigint[]) AND EXISTS (
    SELECT FROM customers_profile AS other
    WHERE other.customer_id = profile.customer_id AND other.id <> profile.id
)
UNION ALL
SELECT 'known', NULL, NULL, NULL, NULL, NULL, NULL, message_hash
FROM customers_touchpoint
WHERE source_id = %(source)s AND message_hash = ANY(%(messages)s::uuid[])
UNION ALL
SELECT 'known', NULL, NULL, NULL, NULL, NULL, NULL, message_hash
FROM customers_traittelling
WHERE source_id = %(source)s AND message_hash = ANY(%(messages)s::uuid[])

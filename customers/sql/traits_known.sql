-- What is known, under the profiles' locks, before traits are told: of the stored steps of each those that telling it between
-- two instants can touch (what: step), which of the profiles share their customer with others (shared), and which of some
-- messages are stored already (known). Touched are the steps that begin between the instants, the last one before and the
-- first one after: whoever has told a trait for years is asked about no more of it than somebody new.
-- One row: what, id, profile, key, value (JSON text), set_at, last_seen_at, message_hash.
-- Parameters: profiles, keys, firsts, lasts (parallel arrays: a trait, and the first and the last instant it is told of),
-- source, messages (hashes).
-- Index: trait_has_one_value_at_an_instant, customers_profile_customer_id, message_is_stored_once, telling_is_stored_once.
SELECT 'step', step.id, asked.profile, asked.key, coalesce(step.value, 'null')::text, step.set_at, step.last_seen_at,
       NULL::uuid
FROM unnest(
         %(profiles)s::bigint[], %(keys)s::text[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]
     ) AS asked (profile, key, first, last)
CROSS JOIN LATERAL (
    (
        SELECT id, value, set_at, last_seen_at FROM customers_trait
        WHERE profile_id = asked.profile AND key = asked.key AND set_at < asked.first
        ORDER BY set_at DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT id, value, set_at, last_seen_at FROM customers_trait
        WHERE profile_id = asked.profile AND key = asked.key AND set_at BETWEEN asked.first AND asked.last
    )
    UNION ALL
    (
        SELECT id, value, set_at, last_seen_at FROM customers_trait
        WHERE profile_id = asked.profile AND key = asked.key AND set_at > asked.last
        ORDER BY set_at
        LIMIT 1
    )
) AS step
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
WHERE source_id = %(source)s::int AND message_hash = ANY(%(messages)s::uuid[])
UNION ALL
SELECT 'known', NULL, NULL, NULL, NULL, NULL, NULL, message_hash
FROM customers_traittelling
WHERE source_id = %(source)s::int AND message_hash = ANY(%(messages)s::uuid[])

-- What was told around the instants at which some traits are told that tear a stored step: what was told of the trait at that
-- very instant (with all that was told with it), and when it was told last before and first after. One row: profile, key,
-- told_at, traits (JSON text; NULL for the neighbours).
-- Parameters: profiles, keys, instants (parallel arrays).  Index: trait_telling_of_profile.
SELECT asked.profile, asked.key, near.told_at, near.traits
FROM unnest(%(profiles)s::bigint[], %(keys)s::text[], %(instants)s::timestamptz[]) AS asked (profile, key, at)
CROSS JOIN LATERAL (
    (
        SELECT told_at, NULL AS traits FROM customers_traittelling
        WHERE profile_id = asked.profile AND told_at < asked.at AND traits ? asked.key
        ORDER BY told_at DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT told_at, traits::text FROM customers_traittelling
        WHERE profile_id = asked.profile AND told_at = asked.at AND traits ? asked.key
    )
    UNION ALL
    (
        SELECT told_at, NULL FROM customers_traittelling
        WHERE profile_id = asked.profile AND told_at > asked.at AND traits ? asked.key
        ORDER BY told_at
        LIMIT 1
    )
) AS near

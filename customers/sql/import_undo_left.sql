-- Identities of some profiles that an import brought which was taken back since, and that stayed because of what is now
-- taken back too. One row: identity.
-- Parameters: profiles.  Index: customers_identity_profile_id.
WITH theirs AS MATERIALIZED (
    SELECT coalesce(array_agg(id), '{}') AS ids FROM customers_identity WHERE profile_id = ANY(%(profiles)s::bigint[])
)
SELECT DISTINCT one.id
FROM theirs
JOIN customers_importbrought AS brought ON brought.undone_at IS NOT NULL AND brought.identities && theirs.ids
CROSS JOIN LATERAL unnest(brought.identities) AS one (id)
WHERE one.id = ANY(theirs.ids)

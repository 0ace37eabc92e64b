-- Give new identities their profile. A profile number is drawn from the sequence for each new group of identities; the
-- profile row itself follows in `profiles_add`, for those numbers that were really taken. Two transactions meeting the
-- same new person wait for each other here, before either made a customer, so no orphan is left behind.
-- One row per identity that this statement stored: kind, value, profile.
-- Parameters: kinds, identity_values, known_profiles (0: new), groups (ordinal of the new group, 0: none), group_count, at.
WITH fresh AS MATERIALIZED (
    SELECT ordinal, nextval(pg_get_serial_sequence('customers_profile', 'id')) AS profile
    FROM generate_series(1, %(group_count)s) AS ordinal
)
INSERT INTO customers_identity (kind, value, profile_id, created_at)
SELECT told.kind, told.value, coalesce(nullif(told.known, 0), fresh.profile), %(at)s
FROM unnest(
         %(kinds)s::text[], %(identity_values)s::text[], %(known_profiles)s::bigint[], %(groups)s::bigint[]
     ) AS told (kind, value, known, group_ordinal)
LEFT JOIN fresh ON fresh.ordinal = told.group_ordinal
ORDER BY told.kind, told.value
ON CONFLICT (kind, value) DO NOTHING
RETURNING kind, value, profile_id

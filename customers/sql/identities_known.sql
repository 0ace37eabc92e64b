-- The profiles of identities that are already known. One row: kind, value, profile.
-- Also takes the shared lock that keeps a property from being registered while this ingest runs; what was registered
-- before is read by the next statement, after the lock.
-- Parameters: kinds, identity_values (parallel arrays), lock.  Index: identity_belongs_to_one_profile.
SELECT asked.kind, asked.value, identity.profile_id
FROM (SELECT pg_advisory_xact_lock_shared(%(lock)s, 0)) AS locked,
     unnest(%(kinds)s::text[], %(identity_values)s::text[]) AS asked (kind, value)
JOIN customers_identity AS identity ON identity.kind = asked.kind AND identity.value = asked.value

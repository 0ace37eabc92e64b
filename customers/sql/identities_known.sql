-- The profiles of identities that are already known. One row: kind, value, profile.
-- Parameters: kinds, identity_values (parallel arrays).  Index: identity_belongs_to_one_profile.
SELECT asked.kind, asked.value, identity.profile_id
FROM unnest(%(kinds)s::text[], %(identity_values)s::text[]) AS asked (kind, value)
JOIN customers_identity AS identity ON identity.kind = asked.kind AND identity.value = asked.value

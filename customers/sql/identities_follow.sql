-- Identities stored a moment ago by the same transaction, whose person turned out to have a profile already.
-- Parameters: kinds, identity_values, profiles (parallel arrays).  Index: identity_belongs_to_one_profile.
UPDATE customers_identity AS identity
SET profile_id = moved.profile
FROM unnest(%(kinds)s::text[], %(identity_values)s::text[], %(profiles)s::bigint[]) AS moved (kind, value, profile)
WHERE identity.kind = moved.kind AND identity.value = moved.value

-- Whose some identities are now. One row: kind, value, profile, customer.
-- Parameters: kinds, identity_values (parallel arrays).  Index: identity_belongs_to_one_profile.
SELECT identity.kind, identity.value, identity.profile_id, profile.customer_id
FROM unnest(%(kinds)s::text[], %(identity_values)s::text[]) AS asked (kind, value)
JOIN customers_identity AS identity ON identity.kind = asked.kind AND identity.value = asked.value
JOIN customers_profile AS profile ON profile.id = identity.profile_id

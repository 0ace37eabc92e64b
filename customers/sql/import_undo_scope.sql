-- Whom one portion of what an import brought touches. One row: profile, customer.
-- Parameters: touchpoints, tellings, identities, consents, affiliations (ids).  Indexes: the primary keys.
SELECT profile.id, profile.customer_id
FROM customers_profile AS profile
WHERE profile.id IN (
    SELECT profile_id FROM customers_touchpoint WHERE id = ANY(%(touchpoints)s::bigint[])
    UNION
    SELECT profile_id FROM customers_traittelling WHERE id = ANY(%(tellings)s::bigint[])
    UNION
    SELECT profile_id FROM customers_identity WHERE id = ANY(%(identities)s::bigint[])
    UNION
    SELECT profile_id FROM customers_consent WHERE id = ANY(%(consents)s::bigint[])
    UNION
    SELECT profile_id FROM customers_affiliation WHERE id = ANY(%(affiliations)s::bigint[])
)

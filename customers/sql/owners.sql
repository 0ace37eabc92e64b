-- Whose some profiles are, and whether that customer has a name: an identity of another kind than the nameless one.
-- One row: profile, customer, has_name.
-- Parameters: profiles, nameless (the kind of identity).  Index: customers_profile_customer_id, customers_identity_profile_id.
SELECT profile.id, profile.customer_id, EXISTS (
    SELECT FROM customers_profile AS own
    JOIN customers_identity AS identity ON identity.profile_id = own.id AND identity.kind <> %(nameless)s
    WHERE own.customer_id = profile.customer_id
)
FROM customers_profile AS profile
WHERE profile.id = ANY(%(profiles)s::bigint[])

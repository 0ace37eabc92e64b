-- What changes when something about one customer does. One row: profiles, touchpoints, identities.
-- Parameters: customer.
-- Indexes: the profile's customer; touchpoint_replay, index-only; the identity's profile.
SELECT count(*),
       sum((SELECT count(*) FROM customers_touchpoint WHERE profile_id = profile.id)),
       sum((SELECT count(*) FROM customers_identity WHERE profile_id = profile.id))
FROM customers_profile AS profile
WHERE profile.customer_id = %(customer)s

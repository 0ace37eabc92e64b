-- What is new about some customers, read after they are locked: Stale id, customer, cause.
-- Parameters: customers.  Indexes: the profile's customer, stale_of_profile.
SELECT stale.id, profile.customer_id, stale.cause
FROM customers_profile AS profile
JOIN customers_stale AS stale ON stale.profile_id = profile.id
WHERE profile.customer_id = ANY(%(customers)s)

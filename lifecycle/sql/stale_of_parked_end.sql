-- Drop what waits for parked customers. One statement, so that a customer put back meanwhile keeps the rows that say so:
-- they are either not seen by it, or the customer is no longer parked.
-- Parameters: customers.  Indexes: the profile's customer, stale_of_profile, the primary key of the parked.
DELETE FROM customers_stale AS stale
USING customers_profile AS profile
JOIN lifecycle_parked AS parked ON parked.customer_id = profile.customer_id
WHERE profile.id = stale.profile_id AND profile.customer_id = ANY(%(customers)s)

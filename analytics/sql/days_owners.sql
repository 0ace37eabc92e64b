-- Whose some profiles are: those named, and all of some customers. One row: profile, customer.
-- Parameters: profiles, customers.  Indexes: the primary key; the profile's customer.
SELECT id, customer_id FROM customers_profile WHERE id = ANY(%(profiles)s::bigint[])
UNION
SELECT id, customer_id FROM customers_profile WHERE customer_id = ANY(%(customers)s::bigint[])

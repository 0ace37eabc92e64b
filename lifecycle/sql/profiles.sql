-- The profiles of some customers: profile, customer. Parameters: customers.  Index: the profile's customer.
SELECT id, customer_id
FROM customers_profile
WHERE customer_id = ANY(%(customers)s)
ORDER BY id

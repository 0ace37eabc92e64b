-- The profiles of some customers: customer, profile; in no promised order.
-- Parameters: first, last (the range of customer ids), crowded (all of them), customers (or these).
-- Index: the profile's customer.
SELECT customer_id, id
FROM customers_profile
WHERE customer_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR customer_id = ANY(%(customers)s))

-- Lock some customers in order of id, leaving out those somebody else holds: customer.
-- Parameters: customers, limit.  Index: the primary key.
SELECT id FROM customers_customer WHERE id = ANY(%(customers)s) ORDER BY id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED

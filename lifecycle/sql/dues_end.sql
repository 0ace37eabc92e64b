-- Customers whom time alone will never change again. Parameters: customers.  Index: the primary key.
DELETE FROM lifecycle_due WHERE customer_id = ANY(%(customers)s)

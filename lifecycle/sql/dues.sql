-- When some customers are due: customer, due_at. Parameters: customers.  Index: the primary key.
SELECT customer_id, due_at FROM lifecycle_due WHERE customer_id = ANY(%(customers)s) ORDER BY customer_id

-- When some customers were created: customer, created_at; in no promised order.
-- Parameters: first, last (the range of ids), crowded (all of them), customers (or these).  Index: the primary key.
SELECT id, created_at
FROM customers_customer
WHERE id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR id = ANY(%(customers)s))

-- When some customers are due: customer, due_at; in no promised order.
-- Parameters: first, last (the range of customer ids), crowded (all of them), customers (or these).
-- Index: the primary key.
SELECT customer_id, due_at
FROM lifecycle_due
WHERE customer_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR customer_id = ANY(%(customers)s))

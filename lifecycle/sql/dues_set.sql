-- Move when some customers are due who were so before. Parameters: customers, dues (parallel arrays).
-- Index: the primary key.
UPDATE lifecycle_due AS due
SET due_at = moved.due
FROM unnest(%(customers)s::bigint[], %(dues)s::timestamptz[]) AS moved (customer, due)
WHERE due.customer_id = moved.customer

-- Set when some customers are due. Parameters: customers, dues (parallel arrays).  Index: the primary key.
INSERT INTO lifecycle_due (customer_id, due_at)
SELECT customer, due FROM unnest(%(customers)s::bigint[], %(dues)s::timestamptz[]) AS t (customer, due)
ORDER BY customer
ON CONFLICT (customer_id) DO UPDATE SET due_at = excluded.due_at

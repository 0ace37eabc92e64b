-- What lists are sorted by, of some customers as kept. One row: customer, last_seen, orders, revenue.
-- Parameters: customers.  Index: the primary key.
SELECT customer_id, last_seen, orders, revenue FROM analytics_listed WHERE customer_id = ANY(%(customers)s::bigint[])

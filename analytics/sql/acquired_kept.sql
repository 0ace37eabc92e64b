-- What is kept of how some customers were won. One row: customer, day (counted from 1970), is_paying, revenue, value,
-- channels, ages, months, amounts.
-- Parameters: customers.  Index: the primary key.
SELECT customer_id, day - date '1970-01-01', is_paying, revenue, value, channels, ages, months, amounts
FROM analytics_acquired
WHERE customer_id = ANY(%(customers)s::bigint[])

-- What is kept of the ways of some customers to their orders. One row: customer, order, day (counted from 1970), revenue,
-- channels, ages.
-- Parameters: customers.  Index: order_path_of_customer.
SELECT customer_id, order_path."order", day - date '1970-01-01', revenue, channels, ages
FROM analytics_orderpath AS order_path
WHERE customer_id = ANY(%(customers)s::bigint[])

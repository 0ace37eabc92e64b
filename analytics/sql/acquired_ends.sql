-- Up to which day the kept ways of some customers reach. One row: customer, the day (counted from 1970) of the last order,
-- or of the last touch of those who have not ordered, 1 for those who have ordered and 0 for others.
-- Parameters: customers.
-- Indexes: the primary key, order_path_of_customer.
SELECT acquired.customer_id,
       greatest(acquired.day, (
           SELECT max(path.day) FROM analytics_orderpath AS path
           WHERE acquired.is_paying AND path.customer_id = acquired.customer_id
       )) - date '1970-01-01',
       acquired.is_paying::int::smallint
FROM analytics_acquired AS acquired
WHERE acquired.customer_id = ANY(%(customers)s::bigint[])

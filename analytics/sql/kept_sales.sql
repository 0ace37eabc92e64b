-- What was bought in some windows of days. One row: number of the window (1-based), orders, unpriced, bought, refunded,
-- first_paying.
-- Parameters: products_only, starts, untils (parallel arrays of days, half-open).  Index: the primary key.
SELECT number, sum(orders)::bigint, sum(unpriced)::bigint, sum(bought)::bigint, sum(refunded)::bigint,
       sum(first_paying)::bigint
FROM unnest(%(starts)s::date[], %(untils)s::date[]) WITH ORDINALITY AS asked (start, until, number)
JOIN analytics_salesday AS sold
    ON sold.day >= asked.start AND sold.day < asked.until AND sold.products_only = %(products_only)s
GROUP BY number

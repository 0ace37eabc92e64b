-- The customers of a bucket that are not parked, in order: customer. Parameters: first, last (the bucket's range of ids).
-- Indexes: the primary key, index-only; the primary key of the parked.
SELECT customer.id
FROM customers_customer AS customer
WHERE customer.id BETWEEN %(first)s AND %(last)s
  AND NOT EXISTS (SELECT FROM lifecycle_parked AS parked WHERE parked.customer_id = customer.id)
ORDER BY customer.id

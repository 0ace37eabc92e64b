-- Customers picked at random who are not at issue: customer. Parameters: count (how many at most), besides.
-- Index: the primary key, entered at random places.
SELECT DISTINCT found.id
FROM (
    SELECT floor(random() * (SELECT max(id) FROM customers_customer))::bigint AS place
    FROM generate_series(1, %(count)s)
) AS start
CROSS JOIN LATERAL (
    SELECT customer.id
    FROM customers_customer AS customer
    WHERE customer.id > start.place AND customer.merged_into_id IS NULL AND NOT customer.id = ANY(%(besides)s)
      AND NOT EXISTS (SELECT FROM lifecycle_parked AS parked WHERE parked.customer_id = customer.id)
      AND NOT EXISTS (SELECT FROM lifecycle_hotcustomer AS hot WHERE hot.customer_id = customer.id)
    ORDER BY customer.id
    LIMIT 1
) AS found

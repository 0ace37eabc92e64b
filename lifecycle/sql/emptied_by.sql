-- Customers that were merged, directly or over others, into some customers and still have a stage: survivor, emptied.
-- Parameters: customers.  Index: the customer's merged_into.
WITH RECURSIVE chain AS (
    SELECT customer.merged_into_id AS survivor, customer.id AS emptied
    FROM customers_customer AS customer
    WHERE customer.merged_into_id = ANY(%(customers)s)
    UNION
    SELECT chain.survivor, customer.id
    FROM chain JOIN customers_customer AS customer ON customer.merged_into_id = chain.emptied
)
SELECT survivor, emptied
FROM chain
WHERE EXISTS (SELECT FROM lifecycle_standing AS standing WHERE standing.customer_id = chain.emptied)

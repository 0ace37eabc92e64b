-- What some customers ordered and gave back. One row: customer, the order's instant in milliseconds since 1970, amount
-- (minor units, refunds negative), 1 for an order and 0 for a refund. A refund that names an order of the same source and
-- profile stands at that order's instant, another at its own (the behavioural view); purchases without an amount above
-- zero are no orders.
-- Parameters: customers, purchases, refunds (type ids).
-- Indexes: the profile's customer; touchpoint_replay (refunds and the orders of those who have any, from the table).
WITH person AS MATERIALIZED (
    SELECT id, customer_id FROM customers_profile WHERE customer_id = ANY(%(customers)s::bigint[])
)
SELECT person.customer_id, floor(extract(epoch FROM touchpoint.occurred_at) * 1000)::bigint, touchpoint.amount,
       1::smallint
FROM person
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = person.id
WHERE touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0
UNION ALL
SELECT person.customer_id, floor(extract(epoch FROM coalesce(ordered.at, refund.occurred_at)) * 1000)::bigint,
       coalesce(refund.amount, 0), 0::smallint
FROM person
JOIN customers_touchpoint AS refund ON refund.profile_id = person.id
LEFT JOIN LATERAL (
    SELECT min(purchase.occurred_at) AS at
    FROM customers_touchpoint AS purchase
    WHERE refund.order_ref <> '' AND purchase.profile_id = refund.profile_id
      AND purchase.type_id = ANY(%(purchases)s::int[]) AND purchase.source_id = refund.source_id
      AND purchase.order_ref = refund.order_ref
) AS ordered ON true
WHERE refund.type_id = ANY(%(refunds)s::int[])

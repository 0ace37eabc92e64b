-- What a range of customers who are known by more than a device ordered and gave back before an instant. One row: customer,
-- the order's instant, amount (minor units, refunds negative), 1 for an order and 0 for a refund. A refund that names an
-- order of the same source and person stands at that order's instant, another at its own (the behavioural view); purchases
-- without an amount above zero are no orders.
-- Parameters: first, until (customer ids, half-open), purchases, refunds (type ids), before.
-- Indexes: the profile's customer; touchpoint_replay (the refunds and the orders of those who have any, from the table).
WITH person AS MATERIALIZED (
    SELECT profile.id AS profile_id, profile.customer_id
    FROM customers_profile AS profile
    JOIN customers_customer AS customer ON customer.id = profile.customer_id
    WHERE profile.customer_id >= %(first)s AND profile.customer_id < %(until)s AND NOT customer.is_anonymous
)
SELECT person.customer_id, touchpoint.occurred_at, touchpoint.amount, 1::smallint
FROM person
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = person.profile_id
WHERE touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0 AND touchpoint.occurred_at < %(before)s
UNION ALL
SELECT person.customer_id, coalesce(ordered.at, refund.occurred_at), coalesce(refund.amount, 0), 0::smallint
FROM person
JOIN customers_touchpoint AS refund ON refund.profile_id = person.profile_id
LEFT JOIN LATERAL (
    SELECT min(purchase.occurred_at) AS at
    FROM customers_touchpoint AS purchase
    WHERE refund.order_ref <> '' AND purchase.profile_id = refund.profile_id
      AND purchase.type_id = ANY(%(purchases)s::int[]) AND purchase.source_id = refund.source_id
      AND purchase.order_ref = refund.order_ref
) AS ordered ON true
WHERE refund.type_id = ANY(%(refunds)s::int[]) AND refund.occurred_at < %(before)s

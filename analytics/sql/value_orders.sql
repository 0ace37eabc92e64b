-- What a range of customers who are known by more than a device ordered and gave back before an instant. One row: customer,
-- the order's instant, amount (minor units, refunds negative), 1 for an order and 0 for a refund. A refund that names an
-- order of the same source and person stands at that order's instant, another at its own (the behavioural view); purchases
-- without an amount above zero are no orders.
-- Parameters: first, until (customer ids, half-open), purchases, refunds (type ids), before.
-- Indexes: the profile's customer; touchpoint_replay, index-only, profile by profile (OFFSET 0: joined whole, the table was
-- read from end to end for the few who gave something back); the table for these and their orders.
WITH person AS MATERIALIZED (
    SELECT profile.id AS profile_id, profile.customer_id
    FROM customers_profile AS profile
    JOIN customers_customer AS customer ON customer.id = profile.customer_id
    WHERE profile.customer_id >= %(first)s AND profile.customer_id < %(until)s AND NOT customer.is_anonymous
      AND customer.id >= %(first)s AND customer.id < %(until)s
), sold AS MATERIALIZED (
    SELECT person.customer_id, person.profile_id, found.occurred_at, found.amount, found.is_order
    FROM person
    CROSS JOIN LATERAL (
        SELECT touchpoint.occurred_at, touchpoint.amount, touchpoint.type_id = ANY(%(purchases)s::int[]) AS is_order
        FROM customers_touchpoint AS touchpoint
        WHERE touchpoint.profile_id = person.profile_id AND touchpoint.occurred_at < %(before)s
          AND touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
        OFFSET 0
    ) AS found
), moment AS (
    SELECT DISTINCT customer_id, profile_id, occurred_at FROM sold WHERE NOT is_order
)
SELECT customer_id, occurred_at, amount, 1::smallint
FROM sold
WHERE is_order AND amount > 0
UNION ALL
SELECT moment.customer_id, coalesce(ordered.at, refund.occurred_at), coalesce(refund.amount, 0), 0::smallint
FROM moment
CROSS JOIN LATERAL (
    SELECT given.occurred_at, given.amount, given.source_id, given.order_ref
    FROM customers_touchpoint AS given
    WHERE given.profile_id = moment.profile_id AND given.occurred_at = moment.occurred_at
      AND given.type_id = ANY(%(refunds)s::int[])
    OFFSET 0
) AS refund
LEFT JOIN LATERAL (
    SELECT min(purchase.occurred_at) AS at
    FROM customers_touchpoint AS purchase
    WHERE refund.order_ref <> '' AND purchase.profile_id = moment.profile_id
      AND purchase.type_id = ANY(%(purchases)s::int[]) AND purchase.source_id = refund.source_id
      AND purchase.order_ref = refund.order_ref
) AS ordered ON true

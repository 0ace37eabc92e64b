-- String together what a range of customers bought and gave back; its rows of before are gone.
-- Parameters: part (the range's number), size (how many ids are in one), purchases, refunds (type ids).
-- Indexes: the profile's customer, touchpoint_replay; the order line's touchpoint; the primary key.
WITH sold AS MATERIALIZED (
    SELECT profile.customer_id, touchpoint.occurred_at, coalesce(touchpoint.amount, 0) AS amount,
           coalesce(touchpoint.amount, 0) - coalesce((
               SELECT sum(line.amount)::bigint
               FROM customers_orderline AS line
               WHERE line.touchpoint_id = touchpoint.id AND NOT line.is_product
           ), 0) AS products,
           (touchpoint.type_id = ANY(%(purchases)s::int[]))::int::smallint AS is_purchase
    FROM customers_profile AS profile
    JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
    WHERE profile.customer_id >= %(part)s::bigint * %(size)s
      AND profile.customer_id < (%(part)s::bigint + 1) * %(size)s
      AND touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
    ORDER BY profile.customer_id, touchpoint.occurred_at
)
INSERT INTO analytics_soldpack (part, customers, instants, amounts, products, purchases)
SELECT %(part)s, string_agg(int8send(customer_id), NULL), string_agg(timestamptz_send(occurred_at), NULL),
       string_agg(int8send(amount), NULL), string_agg(int8send(products), NULL),
       string_agg(int2send(is_purchase), NULL)
FROM sold
HAVING count(*) > 0
ON CONFLICT (part) DO UPDATE
SET customers = excluded.customers, instants = excluded.instants,
    amounts = excluded.amounts, products = excluded.products, purchases = excluded.purchases

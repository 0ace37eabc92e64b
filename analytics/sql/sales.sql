-- What was bought in some periods and by how many. One row per period: number (1-based), orders (purchases with an amount
-- above zero), unpriced (purchases without), bought and refunded (minor units, refunded at most zero, at its own
-- date), buyers (customers with an order), first_paying (whose first order ever lies inside), customers (active at some
-- instant of the period, or with an order in it), and the ids of the customers of one group (NULL unless `listed` names it).
-- Parameters: purchases, refunds (type ids), starts, untils (parallel arrays), version, inside (the segment of active
-- customers and its stage "in"; NULL: none), listed (group or NULL), segment, segment_in, as_of (only customers in that
-- segment at as_of; segment NULL: all), products_only (leave lines that are not products out of the amounts).
-- Indexes: the order line's touchpoint if products_only; else touchpoint_replay and customer_enters_one_stage_at_an_instant, index-only.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), asked AS (
    SELECT * FROM unnest(%(starts)s::timestamptz[], %(untils)s::timestamptz[])
        WITH ORDINALITY AS period (start_at, until_at, number)
), touched AS (
    -- One of the two halves is empty for good, and the planner knows: all lines need the index alone, products only need
    -- the order lines too.
    SELECT touchpoint.profile_id, touchpoint.occurred_at, touchpoint.type_id, coalesce(touchpoint.amount, 0) AS amount
    FROM customers_touchpoint AS touchpoint
    WHERE NOT %(products_only)s::bool AND touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
    UNION ALL
    SELECT touchpoint.profile_id, touchpoint.occurred_at, touchpoint.type_id,
           coalesce(touchpoint.amount, 0) - coalesce((
               SELECT sum(line.amount)::bigint
               FROM customers_orderline AS line
               WHERE line.touchpoint_id = touchpoint.id AND NOT line.is_product
           ), 0)
    FROM customers_touchpoint AS touchpoint
    WHERE %(products_only)s::bool AND touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
), sale AS MATERIALIZED (
    SELECT profile.customer_id, touched.occurred_at, touched.amount,
           touched.type_id = ANY(%(purchases)s::int[]) AS is_purchase,
           touched.type_id = ANY(%(purchases)s::int[]) AND touched.amount > 0 AS is_order
    FROM touched
    JOIN customers_profile AS profile ON profile.id = touched.profile_id
    WHERE %(segment)s::int IS NULL OR profile.customer_id IN (SELECT customer_id FROM member)
), beginning AS (
    SELECT customer_id, min(occurred_at) AS at FROM sale WHERE is_order GROUP BY customer_id
), customer AS (
    SELECT asked.number, sale.customer_id,
           count(*) FILTER (WHERE is_order) AS orders,
           count(*) FILTER (WHERE is_purchase AND NOT is_order) AS unpriced,
           coalesce(sum(amount) FILTER (WHERE is_purchase), 0) AS bought,
           coalesce(sum(amount) FILTER (WHERE NOT is_purchase), 0) AS refunded,
           coalesce(bool_or(is_order AND occurred_at = beginning.at), false) AS is_first
    FROM asked
    JOIN sale ON sale.occurred_at >= asked.start_at AND sale.occurred_at < asked.until_at
    LEFT JOIN beginning ON beginning.customer_id = sale.customer_id
    GROUP BY asked.number, sale.customer_id
), spell AS (
    SELECT customer_id, stage_id, entered_at,
           lead(entered_at) OVER (PARTITION BY customer_id ORDER BY entered_at) AS left_at
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND superseded_at IS NULL
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
), active AS (
    SELECT DISTINCT asked.number, spell.customer_id
    FROM asked
    JOIN spell ON spell.entered_at < asked.until_at AND (spell.left_at IS NULL OR spell.left_at >= asked.start_at)
    WHERE spell.stage_id = %(inside)s
), everybody AS (
    SELECT number, customer_id, coalesce(orders, 0) AS orders, coalesce(unpriced, 0) AS unpriced,
           coalesce(bought, 0) AS bought, coalesce(refunded, 0) AS refunded, coalesce(is_first, false) AS is_first,
           active.customer_id IS NOT NULL OR orders > 0 AS counts
    FROM customer
    FULL JOIN active USING (number, customer_id)
)
SELECT number,
       sum(orders)::bigint AS orders,
       sum(unpriced)::bigint AS unpriced,
       sum(bought)::bigint AS bought,
       sum(refunded)::bigint AS refunded,
       count(*) FILTER (WHERE orders > 0) AS buyers,
       count(*) FILTER (WHERE is_first) AS first_paying,
       count(*) FILTER (WHERE counts) AS customers,
       array_agg(customer_id) FILTER (
           WHERE CASE %(listed)s::text
               WHEN 'buyers' THEN orders > 0
               WHEN 'first_paying' THEN is_first
               WHEN 'customers' THEN counts
           END
       ) AS listed
FROM everybody
GROUP BY number
ORDER BY number

-- Add to the sales of some days, and write down finished days whose figures move.
-- Parameters: products_only, days, orders, unpriced, bought, refunded, buyers, first_paying (parallel arrays; days counted
-- from 1970), finished (the first day that was not finished; NULL: nothing is written down), today, known_at, cause.
-- Index: the primary keys of both tables.
WITH told AS MATERIALIZED (
    SELECT date '1970-01-01' + day AS day, orders, unpriced, bought, refunded, buyers, first_paying
    FROM unnest(%(days)s::int[], %(orders)s::bigint[], %(unpriced)s::bigint[], %(bought)s::bigint[],
                %(refunded)s::bigint[], %(buyers)s::bigint[], %(first_paying)s::bigint[])
        AS t (day, orders, unpriced, bought, refunded, buyers, first_paying)
), revised AS (
    INSERT INTO analytics_revision AS revision (
        statistic, version, day, cell, revised_on, revised_at, cause, was, became
    )
    SELECT 'sales', 0, told.day, %(products_only)s::bool::int, %(today)s, %(known_at)s, %(cause)s,
           jsonb_build_object('orders', coalesce(kept.orders, 0), 'bought', coalesce(kept.bought, 0),
                              'refunded', coalesce(kept.refunded, 0), 'buyers', coalesce(kept.buyers, 0),
                              'first_paying', coalesce(kept.first_paying, 0)),
           jsonb_build_object('orders', coalesce(kept.orders, 0) + told.orders,
                              'bought', coalesce(kept.bought, 0) + told.bought,
                              'refunded', coalesce(kept.refunded, 0) + told.refunded,
                              'buyers', coalesce(kept.buyers, 0) + told.buyers,
                              'first_paying', coalesce(kept.first_paying, 0) + told.first_paying)
    FROM told
    LEFT JOIN analytics_salesday AS kept ON kept.day = told.day AND kept.products_only = %(products_only)s
    WHERE told.day < %(finished)s::date
    ORDER BY told.day
    ON CONFLICT (statistic, version, day, cell, revised_on) DO UPDATE
    SET became = excluded.became, revised_at = excluded.revised_at, cause = excluded.cause
)
INSERT INTO analytics_salesday AS kept (
    day, products_only, orders, unpriced, bought, refunded, buyers, first_paying
)
SELECT day, %(products_only)s, orders, unpriced, bought, refunded, buyers, first_paying FROM told ORDER BY day
ON CONFLICT (day, products_only) DO UPDATE
SET orders = kept.orders + excluded.orders, unpriced = kept.unpriced + excluded.unpriced,
    bought = kept.bought + excluded.bought, refunded = kept.refunded + excluded.refunded,
    buyers = kept.buyers + excluded.buyers, first_paying = kept.first_paying + excluded.first_paying

-- Bring what lists are sorted by up to what some customers' touchpoints say now; rows that already say so are left alone,
-- and those of customers merged into others are taken away. One row: customer, for each row that changed.
-- Parameters: customers, purchases, refunds (type ids).
-- Indexes: the profile's customer; touchpoint_replay, index-only.
WITH asked AS MATERIALIZED (
    SELECT id, is_anonymous, merged_into_id IS NOT NULL AS is_merged
    FROM customers_customer WHERE id = ANY(%(customers)s::bigint[])
), figures AS (
    SELECT profile.customer_id, max(touchpoint.occurred_at) AS last_at,
           count(*) FILTER (WHERE touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0) AS orders,
           coalesce(sum(touchpoint.amount) FILTER (
               WHERE touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
           ), 0)::bigint AS revenue
    FROM customers_profile AS profile
    JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
    WHERE profile.customer_id = ANY(%(customers)s::bigint[])
    GROUP BY profile.customer_id
), gone AS (
    DELETE FROM analytics_listed AS listed USING asked
    WHERE listed.customer_id = asked.id AND asked.is_merged
    RETURNING listed.customer_id
), written AS (
    INSERT INTO analytics_listed AS listed (customer_id, is_anonymous, last_seen, orders, revenue)
    SELECT asked.id, asked.is_anonymous, coalesce(floor(extract(epoch FROM figures.last_at) * 1000)::bigint, 0),
           coalesce(figures.orders, 0), coalesce(figures.revenue, 0)
    FROM asked LEFT JOIN figures ON figures.customer_id = asked.id
    WHERE NOT asked.is_merged
    ORDER BY asked.id
    ON CONFLICT (customer_id) DO UPDATE
    SET is_anonymous = excluded.is_anonymous, last_seen = excluded.last_seen, orders = excluded.orders,
        revenue = excluded.revenue
    WHERE (listed.is_anonymous, listed.last_seen, listed.orders, listed.revenue)
          IS DISTINCT FROM (excluded.is_anonymous, excluded.last_seen, excluded.orders, excluded.revenue)
    RETURNING listed.customer_id
)
SELECT customer_id FROM gone UNION ALL SELECT customer_id FROM written

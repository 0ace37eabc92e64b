-- What became of the customers of an experiment, by variant. One row per variant (NULL: customers in whom merges brought
-- two variants together, who count nowhere): assigned customers, those whose days are over, and of these exact sums:
-- y (1 or 0, or net money in minor units within the days after the assignment), y squared, x (net money in the days
-- before it), x squared, x times y, how many have y above zero; and the ids of one group (NULL unless listed).
-- A customer with several assignments of one variant counts from the earliest.
-- Parameters: experiment, kind (conversion: an order above zero; revenue; reached: a stage was entered), days, before
-- (days), until_at (what happened until then counts), purchases, refunds (type ids), version, stage (of what is reached),
-- listed_group (assigned, conflicting, counted or converted; NULL: none), listed_variant.
-- Indexes: profile_is_assigned_once, touchpoint_replay and customer_enters_one_stage_at_an_instant, index-only.
WITH given AS (
    SELECT profile.customer_id, min(assignment.at) AS at,
           CASE WHEN count(DISTINCT assignment.variant_id) = 1 THEN min(assignment.variant_id) END AS variant
    FROM campaigns_assignment AS assignment
    JOIN customers_profile AS profile ON profile.id = assignment.profile_id
    WHERE assignment.experiment_id = %(experiment)s AND assignment.at <= %(until_at)s
    GROUP BY profile.customer_id
), customer AS (
    SELECT given.*,
           variant IS NOT NULL AND given.at + make_interval(hours => 24 * %(days)s::int) <= %(until_at)s AS is_counted
    FROM given
), told AS MATERIALIZED (
    SELECT customer.*, outcome.y::numeric AS y, outcome.x::numeric AS x
    FROM customer
    LEFT JOIN LATERAL (
        SELECT CASE %(kind)s::text
                   WHEN 'revenue' THEN coalesce(sum(touchpoint.amount) FILTER (WHERE touchpoint.occurred_at > customer.at), 0)
                   WHEN 'conversion' THEN coalesce(max(1) FILTER (
                       WHERE touchpoint.occurred_at > customer.at AND touchpoint.amount > 0
                         AND touchpoint.type_id = ANY(%(purchases)s::int[])), 0)
                   WHEN 'reached' THEN (EXISTS (
                       SELECT FROM lifecycle_transition AS entered
                       WHERE entered.customer_id = customer.customer_id AND entered.version_id = %(version)s::int
                         AND entered.superseded_at IS NULL AND entered.stage_id = %(stage)s::int
                         AND entered.entered_at > customer.at
                         AND entered.entered_at <= customer.at + make_interval(hours => 24 * %(days)s::int)))::int
               END AS y,
               coalesce(sum(touchpoint.amount) FILTER (WHERE touchpoint.occurred_at <= customer.at), 0) AS x
        FROM customers_profile AS profile
        JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
            AND touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
            AND touchpoint.occurred_at > customer.at - make_interval(hours => 24 * %(before)s::int)
            AND touchpoint.occurred_at <= customer.at + make_interval(hours => 24 * %(days)s::int)
        WHERE profile.customer_id = customer.customer_id
    ) AS outcome ON customer.is_counted
)
SELECT variant, count(*) AS assigned, count(*) FILTER (WHERE is_counted) AS counted,
       coalesce(sum(y) FILTER (WHERE is_counted), 0) AS y,
       coalesce(sum(y * y) FILTER (WHERE is_counted), 0) AS yy,
       coalesce(sum(x) FILTER (WHERE is_counted), 0) AS x,
       coalesce(sum(x * x) FILTER (WHERE is_counted), 0) AS xx,
       coalesce(sum(x * y) FILTER (WHERE is_counted), 0) AS xy,
       count(*) FILTER (WHERE is_counted AND y > 0) AS converted,
       array_agg(customer_id) FILTER (
           WHERE (variant = %(listed_variant)s::int OR (variant IS NULL AND %(listed_group)s::text = 'conflicting'))
             AND CASE %(listed_group)s::text
                 WHEN 'assigned' THEN true
                 WHEN 'conflicting' THEN variant IS NULL
                 WHEN 'counted' THEN is_counted
                 WHEN 'converted' THEN is_counted AND y > 0
             END
       ) AS listed
FROM told
GROUP BY variant
ORDER BY variant

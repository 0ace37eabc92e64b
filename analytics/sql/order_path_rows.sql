-- The ways to all orders in some windows of days, strung together: columns of numbers as text. One row per window (number,
-- 1-based): customers (one for each order), revenue, how many touches each path has, and the channels and the ages in
-- seconds of all touches (NULL where there is none).
-- Parameters: starts, untils (parallel arrays of days, half-open), segment, segment_in, as_of (only customers in that
-- segment at as_of; segment NULL: all).
-- Index: order_path_on_day.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
)
SELECT asked.number, string_agg(path.customer_id::text, ','), string_agg(path.revenue::text, ','),
       string_agg(cardinality(path.channels)::text, ','),
       string_agg(array_to_string(path.channels, ','), ',') FILTER (WHERE cardinality(path.channels) > 0),
       string_agg(array_to_string(path.ages, ','), ',') FILTER (WHERE cardinality(path.channels) > 0)
FROM unnest(%(starts)s::date[], %(untils)s::date[]) WITH ORDINALITY AS asked (start, until, number)
JOIN analytics_orderpath AS path ON path.day >= asked.start AND path.day < asked.until
WHERE %(segment)s::int IS NULL OR path.customer_id IN (SELECT customer_id FROM member)
GROUP BY asked.number

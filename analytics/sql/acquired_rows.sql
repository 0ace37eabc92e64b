-- The ways to first orders in some windows of days, and those of people who have not ordered whose last touch lies there,
-- strung together: columns of numbers as text, since reading arrays one by one takes longer than counting them. One row per
-- window (number, 1-based): customers, is_paying (0 or 1), revenue, value, how many touches each path has, and the channels
-- and the ages in seconds of all touches (NULL where there is none).
-- Parameters: starts, untils (parallel arrays of days, half-open), is_buyers_only (whether to leave those out who have not
-- ordered), segment, segment_in, as_of (only customers in that segment at as_of; segment NULL: all).
-- Index: acquired_on_day, where buyers alone are asked about; else reads the table.
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
SELECT asked.number,
       string_agg(acquired.customer_id::text, ','), string_agg((acquired.is_paying::int)::text, ','),
       string_agg(acquired.revenue::text, ','), string_agg(acquired.value::text, ','),
       string_agg(cardinality(acquired.channels)::text, ','),
       string_agg(array_to_string(acquired.channels, ','), ',') FILTER (WHERE cardinality(acquired.channels) > 0),
       string_agg(array_to_string(acquired.ages, ','), ',') FILTER (WHERE cardinality(acquired.channels) > 0)
FROM unnest(%(starts)s::date[], %(untils)s::date[]) WITH ORDINALITY AS asked (start, until, number)
JOIN analytics_acquired AS acquired
    ON acquired.day >= asked.start AND acquired.day < asked.until
    AND (acquired.is_paying OR NOT %(is_buyers_only)s::bool)
WHERE %(segment)s::int IS NULL OR acquired.customer_id IN (SELECT customer_id FROM member)
GROUP BY asked.number

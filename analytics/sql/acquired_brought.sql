-- What the customers of a segment brought whose first order lies in some windows of days, strung together: columns of
-- numbers as text. One row per window (number, 1-based): customers, value, and the months after that of the first order
-- and the amounts that came in them (NULL where there is none).
-- Parameters: starts, untils (parallel arrays of days, half-open), segment, segment_in, as_of (who is in that segment at
-- as_of; segment NULL: all).
-- Index: acquired_on_day.
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
SELECT asked.number, string_agg(acquired.customer_id::text, ','), string_agg(acquired.value::text, ','),
       string_agg(array_to_string(acquired.months, ','), ',') FILTER (WHERE cardinality(acquired.months) > 0),
       string_agg(array_to_string(acquired.amounts, ','), ',') FILTER (WHERE cardinality(acquired.months) > 0)
FROM unnest(%(starts)s::date[], %(untils)s::date[]) WITH ORDINALITY AS asked (start, until, number)
JOIN analytics_acquired AS acquired ON acquired.is_paying AND acquired.day >= asked.start AND acquired.day < asked.until
WHERE %(segment)s::int IS NULL OR acquired.customer_id IN (SELECT customer_id FROM member)
GROUP BY asked.number

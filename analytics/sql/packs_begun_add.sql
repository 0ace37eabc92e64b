-- String together when a range of customers were touched first and signed up; its rows of before are gone.
-- Parameters: part (the range's number), size (how many ids are in one), signups (type ids).
-- Indexes: the profile's customer; touchpoint_replay, index-only; the primary key.
WITH begun AS MATERIALIZED (
    SELECT profile.customer_id, min(touchpoint.occurred_at) AS touch,
           coalesce(min(touchpoint.occurred_at) FILTER (WHERE touchpoint.type_id = ANY(%(signups)s::int[])), 'infinity')
               AS signup
    FROM customers_profile AS profile
    JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
    WHERE profile.customer_id >= %(part)s::bigint * %(size)s
      AND profile.customer_id < (%(part)s::bigint + 1) * %(size)s
    GROUP BY profile.customer_id
    ORDER BY profile.customer_id
)
INSERT INTO analytics_begunpack (part, customers, touches, signups)
SELECT %(part)s, string_agg(int8send(customer_id), NULL), string_agg(timestamptz_send(touch), NULL),
       string_agg(timestamptz_send(signup), NULL)
FROM begun
HAVING count(*) > 0
ON CONFLICT (part) DO UPDATE
SET customers = excluded.customers, touches = excluded.touches, signups = excluded.signups

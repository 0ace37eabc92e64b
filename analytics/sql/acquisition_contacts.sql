-- The contacts of some customers that are marketing touches, within a span of time of each. One row: customer, instant,
-- channel, and what its link said: a JSON list of utm source, medium and campaign, '' where it said nothing.
-- Parameters: customers, sinces, untils (parallel arrays, milliseconds since 1970, the first excluded), visits, exposures
-- (type ids), silent (channel ids over which what is shown is no touch).
-- Indexes: the profile's customer; touchpoint_replay, and the links from the table. The span of time is looked for in the
-- index only behind the fence (OFFSET 0): else every touchpoint of a customer is read from the table.
SELECT asked.customer, touchpoint.occurred_at, touchpoint.channel_id,
       CASE WHEN touchpoint.properties ?| '{utm_source,utm_medium,utm_campaign}'::text[]
            THEN jsonb_build_array(
                touchpoint.properties ->> 'utm_source', touchpoint.properties ->> 'utm_medium',
                touchpoint.properties ->> 'utm_campaign'
            )::text
            ELSE '' END
FROM unnest(%(customers)s::bigint[], %(sinces)s::bigint[], %(untils)s::bigint[]) AS asked (customer, since, until)
JOIN customers_profile AS profile ON profile.customer_id = asked.customer
CROSS JOIN LATERAL (
    SELECT occurred_at, type_id, channel_id, properties
    FROM customers_touchpoint
    WHERE profile_id = profile.id AND occurred_at > to_timestamp(asked.since / 1000.0)
      AND occurred_at <= to_timestamp(asked.until / 1000.0)
    OFFSET 0
) AS touchpoint
WHERE touchpoint.type_id = ANY(%(visits)s::int[])
   OR touchpoint.type_id = ANY(%(exposures)s::int[]) AND touchpoint.channel_id <> ALL(%(silent)s::int[])

-- The contacts of some customers that are marketing touches, within a span of time of each. One row: customer, milliseconds
-- since 1970, channel, and what its link said (utm source, medium, campaign; '' where it said nothing).
-- Parameters: customers, sinces, untils (parallel arrays, milliseconds since 1970, the first excluded), visits, exposures
-- (type ids), silent (channel ids over which what is shown is no touch).
-- Indexes: the profile's customer; touchpoint_replay, and the links from the table.
SELECT asked.customer, floor(extract(epoch FROM touchpoint.occurred_at) * 1000)::bigint, touchpoint.channel_id::int,
       coalesce(touchpoint.properties ->> 'utm_source', ''),
       coalesce(touchpoint.properties ->> 'utm_medium', ''),
       coalesce(touchpoint.properties ->> 'utm_campaign', '')
FROM unnest(%(customers)s::bigint[], %(sinces)s::bigint[], %(untils)s::bigint[]) AS asked (customer, since, until)
JOIN customers_profile AS profile ON profile.customer_id = asked.customer
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
WHERE touchpoint.occurred_at > to_timestamp(asked.since / 1000.0) AND touchpoint.occurred_at <= to_timestamp(asked.until / 1000.0)
  AND (touchpoint.type_id = ANY(%(visits)s::int[])
       OR touchpoint.type_id = ANY(%(exposures)s::int[]) AND touchpoint.channel_id <> ALL(%(silent)s::int[]))

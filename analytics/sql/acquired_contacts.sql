-- The contacts of some customers that are marketing touches: until the first order of each, or, of those who have not
-- ordered, until the last such contact. One row: customer, milliseconds since 1970, channel, and what its link said
-- (utm source, medium, campaign; '' where it said nothing).
-- Parameters: customers, purchases, visits, exposures (type ids), silent (channel ids over which what is shown is no
-- touch), hours (how far back before the end).
-- Indexes: the profile's customer; touchpoint_replay, index-only for the ends, and from the table for the contacts.
WITH person AS MATERIALIZED (
    SELECT id, customer_id FROM customers_profile WHERE customer_id = ANY(%(customers)s::bigint[])
), ending AS MATERIALIZED (
    SELECT person.customer_id,
           coalesce(
               min(touchpoint.occurred_at) FILTER (
                   WHERE touchpoint.type_id = ANY(%(purchases)s::int[]) AND touchpoint.amount > 0
               ),
               max(touchpoint.occurred_at) FILTER (
                   WHERE touchpoint.type_id = ANY(%(visits)s::int[])
                      OR touchpoint.type_id = ANY(%(exposures)s::int[])
                         AND touchpoint.channel_id <> ALL(%(silent)s::int[])
               )
           ) AS at
    FROM person
    JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = person.id
    GROUP BY person.customer_id
)
SELECT person.customer_id, floor(extract(epoch FROM touchpoint.occurred_at) * 1000)::bigint,
       touchpoint.channel_id::int,
       coalesce(touchpoint.properties ->> 'utm_source', ''),
       coalesce(touchpoint.properties ->> 'utm_medium', ''),
       coalesce(touchpoint.properties ->> 'utm_campaign', '')
FROM ending
JOIN person ON person.customer_id = ending.customer_id
JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = person.id
WHERE touchpoint.occurred_at <= ending.at
  AND touchpoint.occurred_at > ending.at - make_interval(hours => %(hours)s)
  AND (touchpoint.type_id = ANY(%(visits)s::int[])
       OR touchpoint.type_id = ANY(%(exposures)s::int[]) AND touchpoint.channel_id <> ALL(%(silent)s::int[]))

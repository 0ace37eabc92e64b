-- What some accounts are worth now. One row: account, people who belong to it now, people who ever did, orders and revenue
-- (minor units) of those who do now, when one of these was seen last (milliseconds since 1970, 0: never), and how many of
-- these are still to be counted.
-- Parameters: accounts (ids), now.
-- Indexes: the affiliation's account, the profile's id, the customer of `Listed`.
WITH person AS (
    SELECT affiliation.account_id, profile.customer_id,
           bool_or(affiliation.until_at IS NULL OR affiliation.until_at > %(now)s) AS is_now
    FROM customers_affiliation AS affiliation
    JOIN customers_profile AS profile ON profile.id = affiliation.profile_id
    WHERE affiliation.account_id = ANY(%(accounts)s::bigint[])
    GROUP BY affiliation.account_id, profile.customer_id
)
SELECT person.account_id, count(*) FILTER (WHERE is_now), count(*),
       coalesce(sum(listed.orders) FILTER (WHERE is_now), 0)::bigint,
       coalesce(sum(listed.revenue) FILTER (WHERE is_now), 0)::bigint,
       coalesce(max(listed.last_seen) FILTER (WHERE is_now), 0)::bigint,
       count(*) FILTER (WHERE is_now AND listed.customer_id IS NULL)
FROM person
LEFT JOIN analytics_listed AS listed ON listed.customer_id = person.customer_id
GROUP BY person.account_id
ORDER BY person.account_id

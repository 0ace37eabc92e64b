-- Who belongs and belonged to an account, one row a person, those who belong now first, then who came last. One row:
-- customer, since (the first affiliation), until (NULL while one is open), whether open, orders, revenue, last seen
-- (milliseconds, 0: never), whether these were counted yet.
-- Parameters: account, now, is_now, since and customer (the page begins after that row; since NULL: the first), most.
-- Indexes: the affiliation's account, the profile's id, the customer of `Listed`.
WITH person AS (
    SELECT profile.customer_id, min(affiliation.from_at) AS since,
           bool_or(affiliation.until_at IS NULL OR affiliation.until_at > %(now)s) AS is_now,
           CASE WHEN bool_or(affiliation.until_at IS NULL) THEN NULL ELSE max(affiliation.until_at) END AS until_at
    FROM customers_affiliation AS affiliation
    JOIN customers_profile AS profile ON profile.id = affiliation.profile_id
    WHERE affiliation.account_id = %(account)s
    GROUP BY profile.customer_id
)
SELECT person.customer_id, person.since, person.until_at, person.is_now, coalesce(listed.orders, 0),
       coalesce(listed.revenue, 0), coalesce(listed.last_seen, 0), listed.customer_id IS NOT NULL
FROM person
LEFT JOIN analytics_listed AS listed ON listed.customer_id = person.customer_id
WHERE %(since)s::timestamptz IS NULL
   OR (person.is_now, person.since, person.customer_id) < (%(is_now)s, %(since)s::timestamptz, %(customer)s)
ORDER BY person.is_now DESC, person.since DESC, person.customer_id DESC
LIMIT %(most)s

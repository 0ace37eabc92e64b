-- Customers that the oldest Stale rows speak of: customer, whether parked. Those with very many touchpoints have a lane of
-- their own (candidates_hot).
-- Parameters: rows (how many of the oldest to look at), limit.
-- Indexes: the primary key of Stale, walked from its oldest row; the primary keys of the others.
SELECT profile.customer_id, bool_or(parked.customer_id IS NOT NULL)
FROM (SELECT id, profile_id FROM customers_stale ORDER BY id LIMIT %(rows)s) AS stale
JOIN customers_profile AS profile ON profile.id = stale.profile_id
LEFT JOIN lifecycle_parked AS parked ON parked.customer_id = profile.customer_id
WHERE NOT EXISTS (SELECT FROM lifecycle_hotcustomer AS hot WHERE hot.customer_id = profile.customer_id)
GROUP BY profile.customer_id
ORDER BY min(stale.id)
LIMIT %(limit)s

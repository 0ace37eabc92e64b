-- Customers about whom something new is known: customer, whether parked. Hot customers wait for their minute.
-- Parameters: limit, now.  Index: the primary key of Stale, walked from its oldest row.
SELECT profile.customer_id, bool_or(parked.customer_id IS NOT NULL)
FROM customers_stale AS stale
JOIN customers_profile AS profile ON profile.id = stale.profile_id
LEFT JOIN lifecycle_parked AS parked ON parked.customer_id = profile.customer_id
WHERE NOT EXISTS (
    SELECT FROM lifecycle_hotcustomer AS hot
    WHERE hot.customer_id = profile.customer_id AND hot.not_before > %(now)s
)
GROUP BY profile.customer_id
ORDER BY min(stale.id)
LIMIT %(limit)s

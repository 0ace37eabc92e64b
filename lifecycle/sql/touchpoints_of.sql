-- How many touchpoints some customers have, of each profile counted no further than `limit`: customer, touchpoints.
-- Parameters: customers, limit.  Indexes: the profile's customer; touchpoint_replay, index-only.
SELECT profile.customer_id, sum(counted.touchpoints)::bigint
FROM customers_profile AS profile
CROSS JOIN LATERAL (
    SELECT count(*) AS touchpoints
    FROM (SELECT FROM customers_touchpoint WHERE profile_id = profile.id LIMIT %(limit)s) AS seen
) AS counted
WHERE profile.customer_id = ANY(%(customers)s)
GROUP BY profile.customer_id

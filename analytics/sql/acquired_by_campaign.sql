-- Who was touched by a link that names one of some campaigns. One row: customer.
-- Parameters: campaigns (lower-case), types (ids of visits and ads).
-- Reads all touchpoints: for when a campaign is kept under another channel than before, which is rare.
SELECT DISTINCT profile.customer_id
FROM customers_touchpoint AS touchpoint
JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
WHERE touchpoint.type_id = ANY(%(types)s::int[])
  AND lower(btrim(touchpoint.properties ->> 'utm_campaign')) = ANY(%(campaigns)s::text[])
ORDER BY 1

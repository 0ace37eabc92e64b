-- Touchpoints whose money no exchange rate was known for, by currency and day, the latest day first. One row: currency, day
-- (of UTC, as rates are looked up), touchpoints, sum of the original amounts.
-- Parameters: currency (NULL: all), before_day, before_currency (the page begins after that row; NULL: the first), most.
-- Index: touchpoint_unconverted.
SELECT currency, day, count(*), sum(original_amount)
FROM (
    SELECT currency, (occurred_at AT TIME ZONE 'UTC')::date AS day, original_amount
    FROM customers_touchpoint
    WHERE amount IS NULL AND original_amount IS NOT NULL AND (%(currency)s::text IS NULL OR currency = %(currency)s)
) AS waiting
WHERE %(before_day)s::date IS NULL OR day < %(before_day)s OR (day = %(before_day)s AND currency > %(before_currency)s)
GROUP BY currency, day
ORDER BY day DESC, currency
LIMIT %(most)s

-- Touchpoints whose money no exchange rate was known for, by currency. One row: currency, touchpoints, sum of the original
-- amounts, first and last day (of UTC), first day with a rate (NULL: none).
-- No parameters.  Index: touchpoint_unconverted.
SELECT waiting.currency, count(*), sum(waiting.original_amount), min((waiting.occurred_at AT TIME ZONE 'UTC')::date),
       max((waiting.occurred_at AT TIME ZONE 'UTC')::date),
       (SELECT min(day) FROM customers_exchangerate AS rate WHERE rate.currency = waiting.currency)
FROM customers_touchpoint AS waiting
WHERE waiting.amount IS NULL AND waiting.original_amount IS NOT NULL
GROUP BY waiting.currency
ORDER BY count(*) DESC, waiting.currency

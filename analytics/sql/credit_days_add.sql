-- Add to the credits of channels on some days.
-- Parameters: lookbacks, models, days (counted from 1970), channels, customers, conversions, revenue, value (parallel
-- arrays).
-- Index: the primary key.
INSERT INTO analytics_creditday AS kept (lookback, model, day, channel, customers, conversions, revenue, value)
SELECT lookback, model, date '1970-01-01' + day, channel, customers, conversions, revenue, value
FROM unnest(
    %(lookbacks)s::smallint[], %(models)s::smallint[], %(days)s::int[], %(channels)s::smallint[],
    %(customers)s::bigint[], %(conversions)s::bigint[], %(revenue)s::bigint[], %(value)s::bigint[]
) AS t (lookback, model, day, channel, customers, conversions, revenue, value)
ON CONFLICT (lookback, model, day, channel) DO UPDATE
SET customers = kept.customers + excluded.customers, conversions = kept.conversions + excluded.conversions,
    revenue = kept.revenue + excluded.revenue, value = kept.value + excluded.value

-- What attribution models credit channels with in some windows of days. One row: number of the window (1-based), model,
-- channel (0: no touch), customers, conversions (millionths), revenue, value.
-- Parameters: lookback, models, starts, untils (parallel arrays of days, half-open).  Index: the primary key.
SELECT asked.number, credit.model, credit.channel, sum(customers)::bigint, sum(conversions)::bigint, sum(revenue)::bigint,
       sum(value)::bigint
FROM unnest(%(starts)s::date[], %(untils)s::date[]) WITH ORDINALITY AS asked (start, until, number)
JOIN analytics_creditday AS credit
    ON credit.lookback = %(lookback)s AND credit.model = ANY(%(models)s::smallint[])
    AND credit.day >= asked.start AND credit.day < asked.until
GROUP BY asked.number, credit.model, credit.channel
HAVING sum(customers) <> 0

-- Write the ways of some customers to their orders. An order that was somebody else's until now changes hands.
-- Parameters: orders, customers, days (counted from 1970), revenues, paths, ages (parallel arrays; the last two hold array
-- literals).
-- Index: the primary key.
INSERT INTO analytics_orderpath ("order", customer_id, day, revenue, channels, ages)
SELECT t.number, customer, date '1970-01-01' + t.day, t.revenue, path::smallint[], age::int[]
FROM unnest(
    %(orders)s::bigint[], %(customers)s::bigint[], %(days)s::int[], %(revenues)s::bigint[], %(paths)s::text[],
    %(ages)s::text[]
) AS t (number, customer, day, revenue, path, age)
ON CONFLICT ("order") DO UPDATE
SET customer_id = excluded.customer_id, day = excluded.day, revenue = excluded.revenue, channels = excluded.channels,
    ages = excluded.ages

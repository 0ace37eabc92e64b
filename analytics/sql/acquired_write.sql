-- Write how some customers were won, in the place of what was kept of them.
-- Parameters: customers, days (counted from 1970), paying, revenues, worths, paths, ages, months, amounts (parallel
-- arrays; the last four hold array literals).
-- Index: the primary key.
INSERT INTO analytics_acquired (customer_id, day, is_paying, revenue, value, channels, ages, months, amounts)
SELECT customer, date '1970-01-01' + day, is_paying, revenue, value, path::smallint[], age::int[], month::smallint[],
       amount::bigint[]
FROM unnest(
    %(customers)s::bigint[], %(days)s::int[], %(paying)s::bool[], %(revenues)s::bigint[], %(worths)s::bigint[],
    %(paths)s::text[], %(ages)s::text[], %(months)s::text[], %(amounts)s::text[]
) AS t (customer, day, is_paying, revenue, value, path, age, month, amount)
ON CONFLICT (customer_id) DO UPDATE
SET day = excluded.day, is_paying = excluded.is_paying, revenue = excluded.revenue, value = excluded.value,
    channels = excluded.channels, ages = excluded.ages, months = excluded.months, amounts = excluded.amounts

-- Add to the changes, from window to window, of who was active or ordered in it.
-- Parameters: length, products_only, days (the windows' until), active, buyers, customers (parallel arrays; days counted
-- from 1970).
-- Index: the primary key.
INSERT INTO analytics_activity AS kept (length, products_only, until, active, buyers, customers)
SELECT %(length)s, %(products_only)s, date '1970-01-01' + day, active, buyers, customers
FROM unnest(%(days)s::int[], %(active)s::bigint[], %(buyers)s::bigint[], %(customers)s::bigint[])
    AS t (day, active, buyers, customers)
ON CONFLICT (length, products_only, until) DO UPDATE
SET active = kept.active + excluded.active, buyers = kept.buyers + excluded.buyers,
    customers = kept.customers + excluded.customers

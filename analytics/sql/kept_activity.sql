-- Who was active and who ordered in some windows of one length, as changes. One row: place (0-based) of the first window
-- that a change counts for, active, buyers, either. The count of a window is the sum of the changes at places up to its own.
-- Parameters: length, products_only, untils (ascending).  Index: the primary key.
SELECT width_bucket(until - 1, %(untils)s::date[]) AS place,
       sum(active)::bigint, sum(buyers)::bigint, sum(customers)::bigint
FROM analytics_activity
WHERE length = %(length)s AND products_only = %(products_only)s
  AND until <= (%(untils)s::date[])[cardinality(%(untils)s::date[])]
GROUP BY place

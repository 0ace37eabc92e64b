-- Keep who will lapse and when. Parameters: version, customers, instants (parallel arrays).  Index: the primary key.
INSERT INTO analytics_fall (version_id, customer_id, at)
SELECT %(version)s, customer, instant
FROM unnest(%(customers)s::bigint[], %(instants)s::timestamptz[]) AS t (customer, instant)
ORDER BY customer

-- Some customers are in some stages now. Parameters: version, customers, stages (parallel arrays).
-- Index: the primary key.
INSERT INTO analytics_member (version_id, stage_id, customer_id)
SELECT %(version)s, stage, customer
FROM unnest(%(customers)s::bigint[], %(stages)s::int[]) AS came (customer, stage)
ORDER BY stage, customer

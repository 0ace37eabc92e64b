-- Some customers are no longer in some stages. Parameters: version, customers, stages (parallel arrays).
-- Index: the primary key.
DELETE FROM analytics_member AS member
USING unnest(%(customers)s::bigint[], %(stages)s::int[]) AS gone (customer, stage)
WHERE member.version_id = %(version)s AND member.stage_id = gone.stage AND member.customer_id = gone.customer

-- Customers by stage at the start and at the end of some windows of one length, as changes. One row: place (0-based) of the
-- first window that a change counts for, stage at the start, at the end (0: none), change. The count of a window is the
-- sum of the changes at places up to its own.
-- Parameters: version, length, untils (ascending).  Index: the primary key.
SELECT width_bucket(until - 1, %(untils)s::date[]) AS place, from_stage, to_stage, sum(change)::bigint
FROM analytics_stageshift
WHERE version_id = %(version)s AND length = %(length)s
  AND until <= (%(untils)s::date[])[cardinality(%(untils)s::date[])]
GROUP BY place, from_stage, to_stage
HAVING sum(change) <> 0

-- Customers in each stage at the end of some days. One row: day, stage, customers.
-- Parameters: version, days.  Index: the primary key.
SELECT day, stage_id, customers
FROM analytics_stageday
WHERE version_id = %(version)s AND day = ANY(%(days)s::date[]) AND customers <> 0

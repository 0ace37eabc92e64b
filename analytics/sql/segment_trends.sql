-- How many customers were in some stages at the end of some days, as kept. One row: stage, day, customers.
-- Parameters: versions, stages, days.  Index: the primary key.
SELECT stage_id, day, customers
FROM analytics_stageday
WHERE version_id = ANY(%(versions)s::int[]) AND day = ANY(%(days)s::date[]) AND stage_id = ANY(%(stages)s::int[])

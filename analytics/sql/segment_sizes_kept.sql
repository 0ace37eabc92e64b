-- How many customers are in some stages at the end of a day, as kept. One row: stage, customers.
-- Parameters: versions, day.  Index: the primary key.
SELECT stage_id, customers
FROM analytics_stageday
WHERE version_id = ANY(%(versions)s::int[]) AND day = %(day)s

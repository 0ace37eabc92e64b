-- How many customers are in some stages now. One row: stage, customers.
-- Parameters: stages.  Reads lifecycle_standing, the narrow table of who is where, once for all of them.
SELECT stage_id, count(*)
FROM lifecycle_standing
WHERE stage_id = ANY(%(stages)s::int[])
GROUP BY stage_id

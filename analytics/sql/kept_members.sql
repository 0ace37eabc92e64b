-- How many customers are in some stages as counted last. One row: customers.
-- Parameters: version, stages.  Indexes: the primary keys.
SELECT coalesce(sum(stageday.customers), 0)::bigint
FROM analytics_stageday AS stageday
JOIN analytics_counting AS counting
    ON counting.statistic = 'stages' AND counting.version = stageday.version_id AND counting.last_day = stageday.day
WHERE stageday.version_id = %(version)s AND stageday.stage_id = ANY(%(stages)s::int[])

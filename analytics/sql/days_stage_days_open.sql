-- Open new days: as many customers in each stage as at the end of the last day.
-- Parameters: version, last_day, today.  Index: the primary key.
INSERT INTO analytics_stageday (version_id, day, stage_id, customers, entered, "left")
SELECT version_id, new.day::date, stage_id, customers, 0, 0
FROM analytics_stageday
CROSS JOIN generate_series(%(last_day)s::date + 1, %(today)s::date, interval '1 day') AS new (day)
WHERE version_id = %(version)s AND analytics_stageday.day = %(last_day)s AND customers <> 0
ORDER BY new.day, stage_id

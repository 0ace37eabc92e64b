-- How many spells of each stage began and ended in the days [start, until). One row: stage, entered, left.
-- Parameters: version, start, until.  Index: the primary key.
SELECT stage_id, sum(entered)::bigint, sum("left")::bigint
FROM analytics_stageday
WHERE version_id = %(version)s AND day >= %(start)s AND day < %(until)s
GROUP BY stage_id

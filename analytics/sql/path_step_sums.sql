-- How often one channel followed another in paths that end in some windows of days. One row: number of the window
-- (1-based), source, target, steps.
-- Parameters: lookback, starts, untils (parallel arrays of days, half-open).  Index: the primary key.
SELECT asked.number, step.source, step.target, sum(steps)::bigint
FROM unnest(%(starts)s::date[], %(untils)s::date[]) WITH ORDINALITY AS asked (start, until, number)
JOIN analytics_pathstep AS step
    ON step.lookback = %(lookback)s AND step.day >= asked.start AND step.day < asked.until
GROUP BY asked.number, step.source, step.target
HAVING sum(steps) <> 0

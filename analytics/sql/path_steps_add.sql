-- Add to how often one channel followed another in paths that end on some days.
-- Parameters: lookbacks, days (counted from 1970), sources, targets, steps (parallel arrays; source 0: a path begins,
-- target -1: an order, -2: nothing so far).
-- Index: the primary key.
INSERT INTO analytics_pathstep AS kept (lookback, day, source, target, steps)
SELECT lookback, date '1970-01-01' + day, source, target, steps
FROM unnest(
    %(lookbacks)s::smallint[], %(days)s::int[], %(sources)s::smallint[], %(targets)s::smallint[], %(steps)s::bigint[]
) AS t (lookback, day, source, target, steps)
ON CONFLICT (lookback, day, source, target) DO UPDATE SET steps = kept.steps + excluded.steps

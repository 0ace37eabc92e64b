-- Add to the changes, from window to window, of the customers by stage at the start and at the end of a window.
-- Parameters: version, length, days (the windows' until), sources, targets, amounts (parallel arrays; days counted from
-- 1970, stage 0: none).
-- Index: the primary key.
INSERT INTO analytics_stageshift AS kept (version_id, length, until, from_stage, to_stage, change)
SELECT %(version)s, %(length)s, date '1970-01-01' + day, source, target, amount
FROM unnest(%(days)s::int[], %(sources)s::int[], %(targets)s::int[], %(amounts)s::bigint[]) AS t (day, source, target, amount)
ON CONFLICT (version_id, length, until, from_stage, to_stage) DO UPDATE SET change = kept.change + excluded.change

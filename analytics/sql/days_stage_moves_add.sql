-- Add to the moves between stages of some days.
-- Parameters: version, days, sources, targets, amounts (parallel arrays; days counted from 1970, source 0: none).
-- Index: the primary key.
INSERT INTO analytics_stagemove AS kept (version_id, day, from_stage, to_stage, moves)
SELECT %(version)s, date '1970-01-01' + day, source, target, amount
FROM unnest(%(days)s::int[], %(sources)s::int[], %(targets)s::int[], %(amounts)s::bigint[]) AS t (day, source, target, amount)
ON CONFLICT (version_id, day, from_stage, to_stage) DO UPDATE SET moves = kept.moves + excluded.moves

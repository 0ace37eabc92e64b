-- The placements of some profiles that stand, in the order in which they were recorded: profile, id, model, stage key,
-- from_at, until_at (ms since 1970; the greatest bigint: never).
-- Parameters: first, last (the range of profile ids), crowded (all of them), profiles (or these).
-- Index: the placement's profile.
SELECT placement.profile_id, placement.id, placement.subject_id, stage.key,
       (extract(epoch FROM placement.from_at) * 1000)::bigint,
       coalesce((extract(epoch FROM placement.until_at) * 1000)::bigint, 9223372036854775807)
FROM lifecycle_placement AS placement
JOIN lifecycle_stage AS stage ON stage.id = placement.stage_id
WHERE placement.profile_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR placement.profile_id = ANY(%(profiles)s))
  AND placement.withdrawn_at IS NULL
ORDER BY placement.id

-- The values of properties that no rule has named so far, read from the wide rows of a few profiles' touchpoints.
-- One row: profile, occurred_at (ms since 1970), type, channel, amount, touchpoint, property key, kind, text.
-- Parameters: first, last (the range of profile ids), crowded (all of them), profiles (or these), keys (names).
-- Index: touchpoint_replay, and then the rows themselves.
SELECT touchpoint.profile_id,
       (extract(epoch FROM touchpoint.occurred_at) * 1000)::bigint,
       touchpoint.type_id, touchpoint.channel_id, coalesce(touchpoint.amount, 0), touchpoint.id, named.key,
       CASE jsonb_typeof(touchpoint.properties -> named.key)
           WHEN 'string' THEN 1 WHEN 'number' THEN 2 WHEN 'boolean' THEN 3 ELSE 4 END,
       CASE WHEN jsonb_typeof(touchpoint.properties -> named.key) IN ('string', 'number', 'boolean')
           THEN touchpoint.properties ->> named.key ELSE '' END
FROM customers_touchpoint AS touchpoint
CROSS JOIN unnest(%(keys)s::text[]) AS named (key)
WHERE touchpoint.profile_id BETWEEN %(first)s AND %(last)s
  AND (%(crowded)s OR touchpoint.profile_id = ANY(%(profiles)s))
  AND touchpoint.properties ? named.key
  AND jsonb_typeof(touchpoint.properties -> named.key) <> 'null'

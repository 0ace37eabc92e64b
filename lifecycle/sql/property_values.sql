-- The values of named properties of some profiles' touchpoints.
-- One row: profile, occurred_at (ms since 1970), type, channel, amount, touchpoint, property key, kind, text.
-- Parameters: first, last (the range of profile ids), crowded (all of them), profiles (or these), keys (names).
-- Index: property_value_replay.
SELECT value.profile_id,
       (extract(epoch FROM value.occurred_at) * 1000)::bigint,
       value.type_id, value.channel_id, coalesce(value.amount, 0), value.touchpoint_id, key.key, value.kind, value.text
FROM customers_propertykey AS key
JOIN customers_propertyvalue AS value ON value.property_key_id = key.id
WHERE key.key = ANY(%(keys)s)
  AND value.profile_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR value.profile_id = ANY(%(profiles)s))

-- The set of versions to evaluate with the part each plays, and how far the catalogue goes. One row: version ids, their
-- states, the live version of their subjects (0: none yet), when the last was made, greatest id and number of types, and
-- of channels: a row may commit after one with a greater id, so the greatest alone does not say that a catalogue is
-- complete. Parameters: only (a subject's id, or NULL for all).
SELECT coalesce(array_agg(version.id ORDER BY version.id), '{}'),
       coalesce(array_agg(version.state ORDER BY version.id), '{}'),
       coalesce(array_agg(coalesce(subject.live_version_id, 0) ORDER BY version.id), '{}'),
       max(version.created_at),
       (SELECT coalesce(max(id), 0) FROM customers_touchpointtype),
       (SELECT count(*) FROM customers_touchpointtype),
       (SELECT coalesce(max(id), 0) FROM customers_channel),
       (SELECT count(*) FROM customers_channel)
FROM lifecycle_version AS version
JOIN lifecycle_subject AS subject ON subject.id = version.subject_id
WHERE version.state IN ('live', 'building') AND subject.retired_at IS NULL
  AND (%(only)s::int IS NULL OR subject.id = %(only)s)

-- The set of versions to evaluate, and how far the catalogue goes: version ids, greatest type id, greatest channel id.
-- One row. Parameters: only (a subject's key, or NULL for all).
SELECT coalesce(array_agg(version.id ORDER BY version.id), '{}'),
       (SELECT coalesce(max(id), 0) FROM customers_touchpointtype),
       (SELECT coalesce(max(id), 0) FROM customers_channel)
FROM lifecycle_version AS version
JOIN lifecycle_subject AS subject ON subject.id = version.subject_id
WHERE version.state IN ('live', 'building') AND subject.retired_at IS NULL AND subject.kind IN ('model', 'segment')
  AND (%(only)s IS NULL OR subject.key = %(only)s)

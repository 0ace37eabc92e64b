-- How many models and segments depend on some segments, live or as drafted last. One row: key, how many.
-- Parameters: keys.  Index: none; versions are a few hundred, and only those that are live or to come are looked at.
SELECT named.key, count(DISTINCT version.subject_id)
FROM lifecycle_version AS version
JOIN lifecycle_subject AS subject ON subject.id = version.subject_id AND subject.retired_at IS NULL
CROSS JOIN LATERAL jsonb_object_keys(coalesce(version.definitions -> 'segments', '{}')) AS named (key)
WHERE named.key = ANY(%(keys)s::text[])
  AND (version.state = 'live'
       OR version.state IN ('draft', 'building') AND NOT EXISTS (
           SELECT FROM lifecycle_version AS newer
           WHERE newer.subject_id = version.subject_id AND newer.number > version.number
             AND newer.state IN ('draft', 'building', 'live')))
GROUP BY named.key

-- One page of the names that sources send, in the order asked for. One row: type, name, role, reads, mapped_at, how it is
-- mapped (standard, hand, waiting), touchpoints, number of sources, first occurred_at, last occurred_at.
-- Parameters: standard (the names that come mapped), type (one of them alone, or NULL), search (lower-case, "" for all),
-- role, mapped and source ("" and 0 for all), unseen (whether names nobody has sent are listed too), sort (recent, count,
-- name), border (the type a page begins after, or NULL), back (whether the page lies before it), size.
-- Reads the catalogue and one row per source and type, whole: thousands.
WITH seen AS (
    SELECT type_id, sum(touchpoints)::bigint AS touchpoints, count(*) AS sources, min(first_at) AS first_at,
           max(last_at) AS last_at
    FROM analytics_seen
    WHERE %(source)s = 0 OR source_id = %(source)s
    GROUP BY type_id
), told AS (
    SELECT type.id, type.name, type.role, type.reads, type.mapped_at,
           CASE
               WHEN type.mapped_at IS NOT NULL THEN 'hand'
               WHEN type.name = ANY(%(standard)s::text[]) THEN 'standard'
               WHEN type.role = 'other' THEN 'waiting'
               ELSE 'hand'
           END AS mapped,
           coalesce(seen.touchpoints, 0) AS touchpoints, coalesce(seen.sources, 0) AS sources, seen.first_at, seen.last_at,
           CASE %(sort)s
               WHEN 'recent' THEN -coalesce(floor(extract(epoch FROM seen.last_at) * 1000), -62135596800000)::bigint
               WHEN 'count' THEN -coalesce(seen.touchpoints, 0)
               ELSE 0
           END AS rank,
           lower(type.name) AS label
    FROM customers_touchpointtype AS type
    LEFT JOIN seen ON seen.type_id = type.id
), border AS (
    SELECT rank, label, id FROM told WHERE id = %(border)s::int
)
SELECT id, name, role, reads::text, mapped_at, mapped, touchpoints, sources, first_at, last_at
FROM told
WHERE (%(type)s::int IS NULL OR id = %(type)s)
  AND (%(search)s = '' OR strpos(label, %(search)s) > 0)
  AND (%(role)s = '' OR role = %(role)s)
  AND (%(mapped)s = '' OR mapped = %(mapped)s)
  AND (%(source)s = 0 OR touchpoints > 0)
  AND (%(unseen)s OR touchpoints > 0 OR mapped <> 'standard')
  AND (
      %(border)s::int IS NULL
      OR (NOT %(back)s AND (rank, label, id) > (SELECT rank, label, id FROM border))
      OR (%(back)s AND (rank, label, id) < (SELECT rank, label, id FROM border))
  )
ORDER BY CASE WHEN %(back)s THEN rank END DESC, CASE WHEN %(back)s THEN label END DESC, CASE WHEN %(back)s THEN id END DESC,
         rank, label, id
LIMIT %(size)s

-- Which properties the latest touchpoints carry. One row: key, kind of its value (as jsonb_typeof says), touchpoints; the
-- most frequent first. Parameters: most (touchpoints looked at), search (part of the key, or ''), count (rows).
-- Index: the primary key, from its end.
SELECT property.key, jsonb_typeof(property.value), count(*)
FROM (SELECT properties FROM customers_touchpoint ORDER BY id DESC LIMIT %(most)s) AS touchpoint
CROSS JOIN LATERAL jsonb_each(touchpoint.properties) AS property
WHERE jsonb_typeof(property.value) <> 'null' AND strpos(lower(property.key), lower(%(search)s)) > 0
GROUP BY 1, 2
ORDER BY 3 DESC, 1
LIMIT %(count)s

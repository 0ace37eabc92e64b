-- Which values a property has in the latest touchpoints. One row: value as text, kind (as jsonb_typeof says),
-- touchpoints; the most frequent first. Parameters: key, most (touchpoints looked at), search (part of the text, or ''),
-- count (rows).  Index: the primary key, from its end.
SELECT properties ->> %(key)s, jsonb_typeof(properties -> %(key)s), count(*)
FROM (SELECT properties FROM customers_touchpoint ORDER BY id DESC LIMIT %(most)s) AS touchpoint
WHERE jsonb_typeof(properties -> %(key)s) IN ('string', 'number', 'boolean')
  AND strpos(lower(properties ->> %(key)s), lower(%(search)s)) > 0
GROUP BY 1, 2
ORDER BY 3 DESC, 1
LIMIT %(count)s

-- Which values a trait has in the latest steps. One row: value as text, kind (as jsonb_typeof says), steps; the most
-- frequent first. Parameters: key, most (steps looked at), search (part of the text, or ''), count (rows).
-- Index: the primary key, from its end.
SELECT value #>> '{}', jsonb_typeof(value), count(*)
FROM (SELECT key, value FROM customers_trait ORDER BY id DESC LIMIT %(most)s) AS step
WHERE key = %(key)s AND jsonb_typeof(value) IN ('string', 'number', 'boolean')
  AND strpos(lower(value #>> '{}'), lower(%(search)s)) > 0
GROUP BY 1, 2
ORDER BY 3 DESC, 1
LIMIT %(count)s

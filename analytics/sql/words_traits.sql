-- Which traits the latest steps are of. One row: key, kind of its value (as jsonb_typeof says), steps; the most frequent
-- first. Parameters: most (steps looked at), search (part of the key, or ''), count (rows).
-- Index: the primary key, from its end.
SELECT key, jsonb_typeof(value), count(*)
FROM (SELECT key, value FROM customers_trait ORDER BY id DESC LIMIT %(most)s) AS step
WHERE jsonb_typeof(value) <> 'null' AND strpos(lower(key), lower(%(search)s)) > 0
GROUP BY 1, 2
ORDER BY 3 DESC, 1
LIMIT %(count)s

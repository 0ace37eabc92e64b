-- Which traits the latest steps are of. One row: key.
-- Parameters: most (steps looked at).  Index: the primary key, from its end.
SELECT DISTINCT key FROM (SELECT key FROM customers_trait ORDER BY id DESC LIMIT %(most)s) AS step ORDER BY key

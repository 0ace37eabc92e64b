-- How the ids of customers lie: the first, the last, how many there are, and how many of them were merged into others.
-- One row. Parameters: none.  Indexes: the primary key and that of merged_into, both index-only.
SELECT coalesce(min(id), 0), coalesce(max(id), -1), count(*),
       (SELECT count(*) FROM customers_customer WHERE merged_into_id IS NOT NULL)
FROM customers_customer

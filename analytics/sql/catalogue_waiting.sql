-- How many names wait for a role. One row: their number.
-- Parameters: standard (the names that come mapped).  Reads the catalogue, whole: thousands.
SELECT count(*)
FROM customers_touchpointtype
WHERE role = 'other' AND mapped_at IS NULL AND NOT name = ANY(%(standard)s::text[])

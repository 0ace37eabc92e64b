-- The sources that sent any touchpoint. One row: key, name, is_simulated.
-- No parameters.  Index: message_is_stored_once, one probe per source.
SELECT source.key, source.name, source.is_simulated
FROM customers_source AS source
WHERE EXISTS (SELECT 1 FROM customers_touchpoint AS touchpoint WHERE touchpoint.source_id = source.id)
ORDER BY source.id

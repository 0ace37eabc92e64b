-- The fault of the program that is tried again last, if any stands: its id, whether it is still too early for that.
-- No parameters. Index: none, the table is empty when all is well.
SELECT id, retry_at > clock_timestamp()
FROM lifecycle_fault
ORDER BY retry_at DESC
LIMIT 1

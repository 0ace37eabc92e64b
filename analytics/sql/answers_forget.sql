-- Drop what the cache has kept beyond its time. No row.
-- Parameters: none.  Index: clm_cache_expires.
DELETE FROM clm_cache WHERE expires < clock_timestamp()

-- Some steps of traits were told again: move their last telling. No row.
-- Parameters: traits (ids), seen_at (parallel arrays).  Index: the primary key.
UPDATE customers_trait AS trait
SET last_seen_at = told.seen_at
FROM unnest(%(traits)s::bigint[], %(seen_at)s::timestamptz[]) AS told (id, seen_at)
WHERE trait.id = told.id

-- Note a merge that a portion of an import led to. No row.
-- Parameters: note, merge.  Index: the primary key.
UPDATE customers_importbrought SET merges = merges || %(merge)s::bigint WHERE id = %(note)s

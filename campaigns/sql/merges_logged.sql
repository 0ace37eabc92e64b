-- Merges and undone merges in the order in which they were committed (whoever writes one holds the lock MERGES). One row:
-- place in the log, when, merge, survivor, absorbed, whether it was undone.
-- Parameters: after (a place), until (a place; NULL: to the end), since (an instant; NULL: any), limit.
-- Index: the primary key of the log, and the log of one merge.
SELECT event.pgh_id, CASE WHEN event.undone_at IS NULL THEN event.at ELSE event.undone_at END, event.id,
       event.survivor_id, event.absorbed_id, event.undone_at IS NOT NULL
FROM customers_mergeevent AS event
WHERE event.pgh_id > %(after)s
  AND (%(until)s::bigint IS NULL OR event.pgh_id <= %(until)s)
  AND (%(since)s::timestamptz IS NULL OR event.pgh_created_at >= %(since)s)
  AND (
      event.pgh_label = 'insert'
      OR (
          event.undone_at IS NOT NULL
          AND NOT EXISTS (
              SELECT 1 FROM customers_mergeevent AS earlier
              WHERE earlier.pgh_obj_id = event.pgh_obj_id AND earlier.pgh_id < event.pgh_id
                AND earlier.undone_at IS NOT NULL
          )
      )
  )
ORDER BY event.pgh_id
LIMIT %(limit)s

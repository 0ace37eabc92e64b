-- Lock the rows in which some messages that arrived may lie, in their order. One row: such a row.
-- Parameters: instants, sources (parallel arrays: when a message arrived, by which source).
-- Index: the primary key.
SELECT body.received_at, body.source_id, body.message_hash, body.messages, body.body
FROM customers_rawbody AS body
WHERE (body.received_at, body.source_id) IN (
    SELECT received_at, source FROM unnest(%(instants)s::timestamptz[], %(sources)s::bigint[]) AS t (received_at, source)
)
ORDER BY body.received_at, body.source_id, body.message_hash
FOR UPDATE OF body

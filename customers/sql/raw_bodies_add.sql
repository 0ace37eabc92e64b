-- Keep messages as they arrived, in one row. No rows.
-- Parameters: at, source, messages (hashes), body (the bodies, packed).  Index: the primary key.
INSERT INTO customers_rawbody (received_at, source_id, message_hash, messages, body)
VALUES (
    %(at)s::timestamptz, %(source)s::bigint, (%(messages)s::uuid[])[1], %(messages)s::uuid[], %(body)s::bytea
)

-- Write a row of messages that arrived anew with those that are left of it; without any it goes. No rows.
-- Parameters: received_at, source, message_hash (the row), messages, body (what is left: hashes, and the bodies packed).
-- Index: the primary key.
WITH emptied AS (
    DELETE FROM customers_rawbody
    WHERE received_at = %(received_at)s::timestamptz AND source_id = %(source)s::bigint
      AND message_hash = %(message_hash)s::uuid AND cardinality(%(messages)s::uuid[]) = 0
)
UPDATE customers_rawbody
SET message_hash = (%(messages)s::uuid[])[1], messages = %(messages)s::uuid[], body = %(body)s::bytea
WHERE received_at = %(received_at)s::timestamptz AND source_id = %(source)s::bigint
  AND message_hash = %(message_hash)s::uuid AND cardinality(%(messages)s::uuid[]) > 0

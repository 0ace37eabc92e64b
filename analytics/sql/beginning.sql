-- When the records that figures rest on begin: the first purchase, and the first time that anybody entered the segment of
-- active customers. One row: the two instants, NULL where there is none.
-- Parameters: purchases (type ids), version, inside (the segment's live version and its stage "in"; NULL: none).
-- Indexes: touchpoint_replay and customer_enters_one_stage_at_an_instant, whole and index-only; read from what is kept
-- wherever it is.
SELECT (SELECT min(occurred_at) FROM customers_touchpoint WHERE type_id = ANY(%(purchases)s::int[])),
       (SELECT min(entered_at) FROM lifecycle_transition
        WHERE version_id = %(version)s AND superseded_at IS NULL AND stage_id = %(inside)s)

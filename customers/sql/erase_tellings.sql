-- Forget some messages that told traits of some profiles; what they told is gone already. One row: when it arrived (NULL:
-- before that was kept), source, message_hash.
-- Parameters: profiles, limit.  Index: trait_telling_of_profile.
DELETE FROM customers_traittelling
WHERE id IN (
    SELECT id FROM customers_traittelling WHERE profile_id = ANY(%(profiles)s::bigint[]) LIMIT %(limit)s::int
)
RETURNING date_trunc('milliseconds', recorded_at), source_id, message_hash

-- How far a replay is: buckets, done, customers, touchpoints, rows changed, rows changed by time. Parameters: replay.
SELECT count(*), count(done_at), coalesce(sum(customers), 0)::bigint, coalesce(sum(touchpoints), 0)::bigint,
       coalesce(sum(rows_changed), 0)::bigint, coalesce(sum(rows_by_time), 0)::bigint
FROM lifecycle_replaybucket
WHERE replay_id = %(replay)s

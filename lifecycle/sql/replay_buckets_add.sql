-- The buckets of a new replay: every range of customer ids that has customers. Parameters: replay, size.
INSERT INTO lifecycle_replaybucket (replay_id, bucket, customers, touchpoints, rows_changed, rows_by_time)
SELECT %(replay)s, bucket, 0, 0, 0, 0
FROM (SELECT DISTINCT id / %(size)s AS bucket FROM customers_customer) AS buckets
ORDER BY bucket

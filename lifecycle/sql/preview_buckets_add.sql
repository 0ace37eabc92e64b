-- The buckets of a new preview: every range of customer ids that has customers. Parameters: preview, size.
INSERT INTO lifecycle_previewbucket (preview_id, bucket, customers)
SELECT %(preview)s, bucket, 0
FROM (SELECT DISTINCT id / %(size)s AS bucket FROM customers_customer) AS buckets
ORDER BY bucket

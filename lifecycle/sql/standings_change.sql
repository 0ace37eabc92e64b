-- Move some standings. Parameters: customers, subjects, stages, since, told_stages, told_until (parallel arrays).
-- Index: the primary key. No changed column is indexed, so the new row stays on its page (HOT).
UPDATE lifecycle_standing AS standing
SET stage_id = moved.stage, since = moved.since, told_stage_id = moved.told_stage, told_until = moved.told_until
FROM unnest(
    %(customers)s::bigint[], %(subjects)s::int[], %(stages)s::int[], %(since)s::timestamptz[], %(told_stages)s::int[],
    %(told_until)s::timestamptz[]
) AS moved (customer, subject, stage, since, told_stage, told_until)
WHERE standing.customer_id = moved.customer AND standing.subject_id = moved.subject

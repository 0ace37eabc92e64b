-- String together what is believed of a range of customers under some versions; its rows of before are gone.
-- Parameters: versions, part (the range's number), size (how many ids are in one).
-- Indexes: customer_enters_one_stage_at_an_instant, index-only; the primary key.
WITH believed AS MATERIALIZED (
    SELECT version_id, customer_id, entered_at, stage_id
    FROM lifecycle_transition
    WHERE customer_id >= %(part)s::bigint * %(size)s AND customer_id < (%(part)s::bigint + 1) * %(size)s
      AND version_id = ANY(%(versions)s::int[]) AND superseded_at IS NULL
    ORDER BY customer_id, version_id, entered_at
)
INSERT INTO analytics_stagepack (version_id, part, customers, instants, stages)
SELECT version_id, %(part)s, string_agg(int8send(customer_id), NULL), string_agg(timestamptz_send(entered_at), NULL),
       string_agg(int4send(stage_id), NULL)
FROM believed
GROUP BY version_id
ON CONFLICT (version_id, part) DO UPDATE
SET customers = excluded.customers, instants = excluded.instants, stages = excluded.stages

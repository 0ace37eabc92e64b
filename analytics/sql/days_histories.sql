-- What was believed of some customers at one instant or another. One row: customer, version, entered_at, stage, how it is
-- known: 0 for what is believed now; of what was recorded or given up since the first instant, 1, with 2 if it was believed
-- at the first, 4 if at the second and 8 if it is believed now: such a row comes twice, since the index alone does not tell
-- when it was recorded. In no promised order.
-- Parameters: customers, versions, since, known_at (the two instants).
-- Indexes: customer_enters_one_stage_at_an_instant, index-only; transition_known (BRIN).
SELECT customer_id, version_id, entered_at, stage_id, 0::smallint
FROM lifecycle_transition
WHERE customer_id = ANY(%(customers)s::bigint[]) AND version_id = ANY(%(versions)s::int[])
  AND superseded_at IS NULL
UNION ALL
SELECT customer_id, version_id, entered_at, stage_id,
       (1 + CASE WHEN recorded_at < %(since)s AND (superseded_at IS NULL OR superseded_at >= %(since)s) THEN 2 ELSE 0 END
          + CASE WHEN recorded_at < %(known_at)s AND (superseded_at IS NULL OR superseded_at >= %(known_at)s)
                 THEN 4 ELSE 0 END
          + CASE WHEN superseded_at IS NULL THEN 8 ELSE 0 END)::smallint
FROM lifecycle_transition
WHERE (recorded_at >= %(since)s OR superseded_at >= %(since)s)
  AND customer_id = ANY(%(customers)s::bigint[]) AND version_id = ANY(%(versions)s::int[])

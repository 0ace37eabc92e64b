-- Add to the stage figures of some days, and write down finished days whose figures move.
-- Parameters: version, days, stages, customers, entered, left (parallel arrays; days counted from 1970), finished (the
-- first day that was not finished; NULL: nothing is written down), today, known_at, cause.
-- Index: the primary keys of both tables.
WITH told AS MATERIALIZED (
    SELECT date '1970-01-01' + day AS day, stage, customers, entered, gone
    FROM unnest(%(days)s::int[], %(stages)s::int[], %(customers)s::bigint[], %(entered)s::bigint[], %(left)s::bigint[])
        AS t (day, stage, customers, entered, gone)
), revised AS (
    INSERT INTO analytics_revision AS revision (
        statistic, version, day, cell, revised_on, revised_at, cause, was, became
    )
    SELECT 'stages', %(version)s, told.day, told.stage, %(today)s, %(known_at)s, %(cause)s,
           jsonb_build_object('customers', coalesce(kept.customers, 0), 'entered', coalesce(kept.entered, 0),
                              'left', coalesce(kept.left, 0)),
           jsonb_build_object('customers', coalesce(kept.customers, 0) + told.customers,
                              'entered', coalesce(kept.entered, 0) + told.entered,
                              'left', coalesce(kept.left, 0) + told.gone)
    FROM told
    LEFT JOIN analytics_stageday AS kept
        ON kept.version_id = %(version)s AND kept.day = told.day AND kept.stage_id = told.stage
    WHERE told.day < %(finished)s::date
    ORDER BY told.day, told.stage
    ON CONFLICT (statistic, version, day, cell, revised_on) DO UPDATE
    SET became = excluded.became, revised_at = excluded.revised_at, cause = excluded.cause
)
INSERT INTO analytics_stageday AS kept (version_id, day, stage_id, customers, entered, "left")
SELECT %(version)s, day, stage, customers, entered, gone FROM told ORDER BY day, stage
ON CONFLICT (version_id, day, stage_id) DO UPDATE
SET customers = kept.customers + excluded.customers, entered = kept.entered + excluded.entered,
    "left" = kept.left + excluded.left

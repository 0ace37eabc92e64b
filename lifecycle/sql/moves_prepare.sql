-- How standings of a subject change when a version of it goes live: they become what its history says last. Where that
-- differs from what was told, one correction will be told as history, if `announce`; its number is drawn here. Parked
-- customers, and those about whom something new is known, keep theirs until they are advanced.
-- Parameters: subject, version, outside (the stage of whoever is in none), announce, customers (NULL: everybody).
-- Indexes: for everybody none, a publish has just read all history anyway; else those of transitions and standings.
WITH last AS MATERIALIZED (
    SELECT DISTINCT ON (customer_id) customer_id, stage_id, entered_at
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND superseded_at IS NULL
      AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s))
    ORDER BY customer_id, entered_at DESC
), stood AS MATERIALIZED (
    SELECT customer_id, stage_id, since, told_stage_id, told_until
    FROM lifecycle_standing
    WHERE subject_id = %(subject)s AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s))
), gone AS (
    SELECT customer_id, since, told_stage_id
    FROM stood
    WHERE NOT EXISTS (SELECT FROM last WHERE last.customer_id = stood.customer_id)
      AND NOT EXISTS (SELECT FROM lifecycle_parked AS parked WHERE parked.customer_id = stood.customer_id)
      AND NOT EXISTS (
          SELECT FROM customers_profile AS profile JOIN customers_stale AS stale ON stale.profile_id = profile.id
          WHERE profile.customer_id = stood.customer_id
      )
)
INSERT INTO lifecycle_move (version_id, customer_id, change, from_stage_id, stage_id, since, announcement)
SELECT %(version)s, customer, change, from_stage, stage, since,
       CASE WHEN %(announce)s AND from_stage IS DISTINCT FROM stage
            THEN nextval(pg_get_serial_sequence('lifecycle_announcement', 'id')) END
FROM (
    SELECT last.customer_id, CASE WHEN stood.customer_id IS NULL THEN 'new' ELSE 'moved' END, stood.told_stage_id,
           last.stage_id, last.entered_at
    FROM last LEFT JOIN stood ON stood.customer_id = last.customer_id
    WHERE (stood.stage_id, stood.since, stood.told_stage_id, stood.told_until >= last.entered_at)
          IS DISTINCT FROM (last.stage_id, last.entered_at, last.stage_id, true)
    UNION ALL
    SELECT customer_id, 'gone', told_stage_id, %(outside)s, since FROM gone
) AS moving (customer, change, from_stage, stage, since)
ORDER BY customer

-- The moment a version goes live: standings of its subject become what its history says last. Where that differs from
-- what was told, one correction is told as history, if `announce`. Parked customers, and those about whom something new
-- is known, keep theirs until they are advanced.
-- Parameters: subject, version, outside (the stage of whoever is in none), announce, cause, now.
-- Index: none; a publish has just read all history anyway. The caller keeps every advance away.
WITH last AS MATERIALIZED (
    SELECT DISTINCT ON (customer_id) customer_id, stage_id, entered_at
    FROM lifecycle_transition
    WHERE version_id = %(version)s AND superseded_at IS NULL
    ORDER BY customer_id, entered_at DESC
), stood AS MATERIALIZED (
    SELECT customer_id, stage_id, since, told_stage_id, told_until
    FROM lifecycle_standing
    WHERE subject_id = %(subject)s
), gone AS MATERIALIZED (
    SELECT customer_id, since, told_stage_id
    FROM stood
    WHERE NOT EXISTS (SELECT FROM last WHERE last.customer_id = stood.customer_id)
      AND NOT EXISTS (SELECT FROM lifecycle_parked AS parked WHERE parked.customer_id = stood.customer_id)
      AND NOT EXISTS (
          SELECT FROM customers_profile AS profile JOIN customers_stale AS stale ON stale.profile_id = profile.id
          WHERE profile.customer_id = stood.customer_id
      )
), told AS (
    INSERT INTO lifecycle_announcement (
        customer_id, subject_id, version_id, from_stage_id, stage_id, kind, entered_at, told_at, cause, is_news
    )
    SELECT customer, %(subject)s, %(version)s, from_stage, stage, 'correction', entered_at, %(now)s, %(cause)s, false
    FROM (
        SELECT last.customer_id, stood.told_stage_id, last.stage_id, last.entered_at
        FROM last LEFT JOIN stood ON stood.customer_id = last.customer_id
        UNION ALL
        SELECT customer_id, told_stage_id, %(outside)s, since FROM gone
    ) AS change (customer, from_stage, stage, entered_at)
    WHERE %(announce)s AND from_stage IS DISTINCT FROM stage
    ORDER BY customer
), ended AS (
    DELETE FROM lifecycle_standing AS standing USING gone
    WHERE standing.customer_id = gone.customer_id AND standing.subject_id = %(subject)s
), moved AS (
    UPDATE lifecycle_standing AS standing
    SET stage_id = last.stage_id, since = last.entered_at, told_stage_id = last.stage_id,
        told_until = greatest(standing.told_until, %(now)s)
    FROM last
    WHERE standing.customer_id = last.customer_id AND standing.subject_id = %(subject)s
      AND (standing.stage_id, standing.since, standing.told_stage_id, standing.told_until >= last.entered_at)
          IS DISTINCT FROM (last.stage_id, last.entered_at, last.stage_id, true)
)
INSERT INTO lifecycle_standing (customer_id, subject_id, stage_id, since, told_stage_id, told_until)
SELECT customer_id, %(subject)s, stage_id, entered_at, stage_id, %(now)s
FROM last
WHERE NOT EXISTS (SELECT FROM stood WHERE stood.customer_id = last.customer_id)
ORDER BY customer_id

-- The moment a version goes live: everybody stands where it says. Everybody waits for this one statement, so it only
-- writes what was worked out. Parameters: subject, version, now.
-- Indexes: the primary keys of moves and standings. No changed column is indexed, so new rows stay on their page (HOT).
WITH ended AS (
    DELETE FROM lifecycle_standing AS standing USING lifecycle_move AS move
    WHERE move.version_id = %(version)s AND move.change = 'gone'
      AND standing.customer_id = move.customer_id AND standing.subject_id = %(subject)s
), moved AS (
    UPDATE lifecycle_standing AS standing
    SET stage_id = move.stage_id, since = move.since, told_stage_id = move.stage_id,
        told_until = greatest(standing.told_until, %(now)s)
    FROM lifecycle_move AS move
    WHERE move.version_id = %(version)s AND move.change = 'moved'
      AND standing.customer_id = move.customer_id AND standing.subject_id = %(subject)s
)
INSERT INTO lifecycle_standing (customer_id, subject_id, stage_id, since, told_stage_id, told_until)
SELECT customer_id, %(subject)s, stage_id, since, stage_id, %(now)s
FROM lifecycle_move
WHERE version_id = %(version)s AND change = 'new'
ORDER BY customer_id

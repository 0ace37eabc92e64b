-- Tell, as history, what a version's going live changes. Parameters: subject, version, cause, now, customers (NULL:
-- everybody).  Index: the primary key of moves.
INSERT INTO lifecycle_announcement (
    id, customer_id, subject_id, version_id, from_stage_id, stage_id, kind, entered_at, told_at, cause, is_news
)
SELECT announcement, customer_id, %(subject)s, version_id, from_stage_id, stage_id, 'correction', since, %(now)s,
       %(cause)s, false
FROM lifecycle_move
WHERE version_id = %(version)s AND announcement IS NOT NULL
  AND (%(customers)s::bigint[] IS NULL OR customer_id = ANY(%(customers)s))
ORDER BY announcement

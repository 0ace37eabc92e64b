-- Whom time alone may bring into a stage until an instant: those due until then who are not in it. One row: customer.
-- Parameters: until, subject, stage.  Indexes: due_next, the primary key of Standing.
SELECT due.customer_id
FROM lifecycle_due AS due
WHERE due.due_at <= %(until)s
  AND NOT EXISTS (
      SELECT FROM lifecycle_standing AS standing
      WHERE standing.customer_id = due.customer_id AND standing.subject_id = %(subject)s
        AND standing.stage_id = %(stage)s
  )
ORDER BY due.customer_id

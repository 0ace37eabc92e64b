-- How many customers stand in each stage now. One row: stage, customers.
-- Parameters: subject.  Reads lifecycle_standing, the narrow table of who is where.
SELECT stage_id, count(*)
FROM lifecycle_standing
WHERE subject_id = %(subject)s
GROUP BY stage_id

-- Where some customers stand, and what was last told: customer, subject, stage, since, told_stage, told_until.
-- Parameters: customers, subjects.  Index: the primary key.
SELECT customer_id, subject_id, stage_id, since, told_stage_id, told_until
FROM lifecycle_standing
WHERE customer_id = ANY(%(customers)s) AND subject_id = ANY(%(subjects)s)
ORDER BY customer_id, subject_id

-- Where some customers stand, and what was last told: customer, subject, stage, since, told_stage, told_until; in no
-- promised order.
-- Parameters: first, last (the range of customer ids), crowded (all of them), customers (or these), subjects.
-- Index: the primary key.
SELECT customer_id, subject_id, stage_id, since, told_stage_id, told_until
FROM lifecycle_standing
WHERE customer_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR customer_id = ANY(%(customers)s))
  AND subject_id = ANY(%(subjects)s)

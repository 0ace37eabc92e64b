-- Remove some standings: of customers left without profiles, or whose history has become empty.
-- Parameters: customers, subjects (parallel arrays).  Index: the primary key.
DELETE FROM lifecycle_standing AS standing
USING unnest(%(customers)s::bigint[], %(subjects)s::int[]) AS gone (customer, subject)
WHERE standing.customer_id = gone.customer AND standing.subject_id = gone.subject

-- How many customers an experiment would assign if it were started now. One row: their number.
-- Parameters: segment, inside (the audience and its stage "in"; segment NULL: everybody).
-- Indexes: the customers' key, their profiles, and the standing's key.
SELECT count(*)
FROM customers_customer AS customer
WHERE customer.merged_into_id IS NULL AND customer.erased_at IS NULL
  AND EXISTS (SELECT FROM customers_profile AS profile WHERE profile.customer_id = customer.id)
  AND (%(segment)s::int IS NULL OR EXISTS (
      SELECT FROM lifecycle_standing AS standing
      WHERE standing.customer_id = customer.id AND standing.subject_id = %(segment)s::int
        AND standing.stage_id = %(inside)s::int
  ))

-- Whom an experiment has still to assign: customers after one, in order, who are in its audience now. One row: the
-- customer and its first profile. Customers of whom any profile is assigned already are left out.
-- Parameters: experiment, upto (the customer after whom to begin), segment, inside (the audience and its stage "in";
-- segment NULL: everybody), most (rows).
-- Indexes: the customers' key, their profiles, the standing's key, and assignment_of_profile.
SELECT customer.id, min(profile.id) AS profile
FROM customers_customer AS customer
JOIN customers_profile AS profile ON profile.customer_id = customer.id
WHERE customer.id > %(upto)s AND customer.merged_into_id IS NULL AND customer.erased_at IS NULL
  AND (%(segment)s::int IS NULL OR EXISTS (
      SELECT FROM lifecycle_standing AS standing
      WHERE standing.customer_id = customer.id AND standing.subject_id = %(segment)s::int
        AND standing.stage_id = %(inside)s::int
  ))
GROUP BY customer.id
HAVING NOT EXISTS (
    SELECT FROM campaigns_assignment AS assignment
    JOIN customers_profile AS own ON own.id = assignment.profile_id
    WHERE own.customer_id = customer.id AND assignment.experiment_id = %(experiment)s
)
ORDER BY customer.id
LIMIT %(most)s

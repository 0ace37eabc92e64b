-- Of some customers those of whom nothing is left under any profile, and who took no part in a merge. One row: customer.
-- Parameters: customers.  Indexes: the profile's customer, and those by profile.
SELECT customer.id
FROM customers_customer AS customer
WHERE customer.id = ANY(%(customers)s::bigint[])
  AND NOT EXISTS (
      SELECT FROM customers_profile AS profile
      WHERE profile.customer_id = customer.id
        AND (EXISTS (SELECT FROM customers_touchpoint AS t WHERE t.profile_id = profile.id)
             OR EXISTS (SELECT FROM customers_traittelling AS t WHERE t.profile_id = profile.id)
             OR EXISTS (SELECT FROM customers_identity AS t WHERE t.profile_id = profile.id)
             OR EXISTS (SELECT FROM customers_consent AS t WHERE t.profile_id = profile.id)
             OR EXISTS (SELECT FROM customers_affiliation AS t WHERE t.profile_id = profile.id))
  )
  AND NOT EXISTS (SELECT FROM customers_merge AS merge WHERE customer.id IN (merge.survivor_id, merge.absorbed_id))
ORDER BY customer.id

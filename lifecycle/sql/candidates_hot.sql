-- Customers with very many touchpoints whose turn has come and for whom something waits: customer. Parameters: limit, now.
-- Indexes: none for the few hot ones; the profile's customer, stale_of_profile, the primary keys of Due and Parked.
SELECT hot.customer_id
FROM lifecycle_hotcustomer AS hot
WHERE hot.not_before <= %(now)s
  AND NOT EXISTS (SELECT FROM lifecycle_parked AS parked WHERE parked.customer_id = hot.customer_id)
  AND (
      EXISTS (
          SELECT FROM customers_profile AS profile JOIN customers_stale AS stale ON stale.profile_id = profile.id
          WHERE profile.customer_id = hot.customer_id
      )
      OR EXISTS (
          SELECT FROM lifecycle_due AS due WHERE due.customer_id = hot.customer_id AND due.due_at <= %(now)s
      )
  )
ORDER BY hot.not_before
LIMIT %(limit)s

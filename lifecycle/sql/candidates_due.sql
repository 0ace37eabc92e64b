-- Customers who change by time alone, longest overdue first: customer. Those with very many touchpoints have a lane of
-- their own (candidates_hot). Parameters: limit, now.  Index: due_next.
SELECT due.customer_id
FROM lifecycle_due AS due
WHERE due.due_at <= %(now)s
  AND NOT EXISTS (SELECT FROM lifecycle_parked AS parked WHERE parked.customer_id = due.customer_id)
  AND NOT EXISTS (SELECT FROM lifecycle_hotcustomer AS hot WHERE hot.customer_id = due.customer_id)
ORDER BY due.due_at
LIMIT %(limit)s

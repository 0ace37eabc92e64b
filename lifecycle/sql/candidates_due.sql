-- Customers who change by time alone: customer. Parameters: limit, now.  Index: due_next.
SELECT due.customer_id
FROM lifecycle_due AS due
WHERE due.due_at <= %(now)s
  AND NOT EXISTS (SELECT FROM lifecycle_parked AS parked WHERE parked.customer_id = due.customer_id)
  AND NOT EXISTS (
      SELECT FROM lifecycle_hotcustomer AS hot WHERE hot.customer_id = due.customer_id AND hot.not_before > %(now)s
  )
ORDER BY due.due_at
LIMIT %(limit)s

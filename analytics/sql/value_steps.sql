-- In which steps a range of customers is by a scoring. One row: customer, step of being alive, of risk, of worth, and the
-- three classes as one number; in order of customer. Parameters: scoring, first, until (customer ids, half-open).
-- Index: the primary key.
SELECT customer_id, alive_step, risk_step, worth_step, rfm
FROM analytics_score
WHERE scoring_id = %(scoring)s AND customer_id >= %(first)s AND customer_id < %(until)s
ORDER BY customer_id

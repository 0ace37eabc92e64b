-- Of those in each class and step of a scoring, how many were merged into others since and are in no list any more. One
-- row: what is counted (rfm, alive, risk, worth), its class or step, customers.
-- Parameters: scoring.
-- Indexes: the customer's merged_into; the primary key of scores.
SELECT CASE WHEN grouping(score.rfm) = 0 THEN 'rfm' WHEN grouping(score.alive_step) = 0 THEN 'alive'
            WHEN grouping(score.risk_step) = 0 THEN 'risk' ELSE 'worth' END,
       coalesce(score.rfm, score.alive_step, score.risk_step, score.worth_step), count(*)
FROM customers_customer AS customer
JOIN analytics_score AS score ON score.scoring_id = %(scoring)s AND score.customer_id = customer.id
WHERE customer.merged_into_id IS NOT NULL
GROUP BY GROUPING SETS ((score.rfm), (score.alive_step), (score.risk_step), (score.worth_step))

-- How many customers are in each class and step of a scoring. One row:
-- what is counted (rfm, alive, risk, worth), its class or step, customers.
-- Parameters: scoring.
-- Index: the primary key's first column; all rows of the scoring are read once.
SELECT CASE WHEN grouping(rfm) = 0 THEN 'rfm' WHEN grouping(alive_step) = 0 THEN 'alive'
            WHEN grouping(risk_step) = 0 THEN 'risk' ELSE 'worth' END,
       coalesce(rfm, alive_step, risk_step, worth_step), count(*)
FROM analytics_score AS score
WHERE score.scoring_id = %(scoring)s
GROUP BY GROUPING SETS ((rfm), (alive_step), (risk_step), (worth_step))

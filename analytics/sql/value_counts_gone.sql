-- Of those in each class and step of a scoring, how many are in no list any more: they were merged into others since, or
-- let go because the import that made them was taken back. One row: what is counted (rfm, alive, risk, worth), its class or
-- step, customers.
-- Parameters: scoring.
-- Indexes: the customer's merged_into; the primary keys of scores and customers. All scores of the scoring are only looked
-- through where an import has been taken back since it began.
WITH gone AS (
    SELECT score.rfm, score.alive_step, score.risk_step, score.worth_step
    FROM customers_customer AS customer
    JOIN analytics_score AS score ON score.scoring_id = %(scoring)s AND score.customer_id = customer.id
    WHERE customer.merged_into_id IS NOT NULL
    UNION ALL
    SELECT score.rfm, score.alive_step, score.risk_step, score.worth_step
    FROM analytics_score AS score
    WHERE score.scoring_id = %(scoring)s
      AND EXISTS (
          SELECT
          FROM customers_import AS import
          JOIN analytics_scoring AS scoring ON scoring.id = %(scoring)s
          WHERE (import.counts ->> 'undone_customers')::bigint > 0
            AND (import.undone_at IS NULL OR import.undone_at >= scoring.started_at)
      )
      AND NOT EXISTS (SELECT FROM customers_customer AS customer WHERE customer.id = score.customer_id)
)
SELECT CASE WHEN grouping(rfm) = 0 THEN 'rfm' WHEN grouping(alive_step) = 0 THEN 'alive'
            WHEN grouping(risk_step) = 0 THEN 'risk' ELSE 'worth' END,
       coalesce(rfm, alive_step, risk_step, worth_step), count(*)
FROM gone
GROUP BY GROUPING SETS ((rfm), (alive_step), (risk_step), (worth_step))

-- Identities between what is kept of how customers were won that do not hold. One row: identity, version (0), day, what is
-- wrong. credits = customers, credits = value: what a model credits channels with, those without a touch included, comes
-- to whoever first ordered that month and to what they brought; months = value: what a cohort brought month by month
-- comes to all of it.
-- Parameters: none.  Reads all rows of the three tables of sums.
WITH credit AS (
    SELECT lookback, model, (extract(year FROM day) * 12 + extract(month FROM day) - 1)::int AS month,
           sum(conversions) AS conversions, sum(value) AS value
    FROM analytics_creditday
    GROUP BY lookback, model, 3
), cohort AS (
    SELECT month, make_date(month / 12, month %% 12 + 1, 1) AS day, customers, value FROM analytics_cohortdraw
), brought AS (
    SELECT month, sum(revenue) AS revenue FROM analytics_cohortmonth GROUP BY month
), asked AS (
    SELECT DISTINCT lookback, model FROM analytics_creditday
)
SELECT 'credits = customers', 0, cohort.day,
       concat('model ', asked.model, ', ', asked.lookback, ' days: ', coalesce(credit.conversions, 0), ' millionths are credited to ', cohort.customers)
FROM cohort
CROSS JOIN asked
LEFT JOIN credit ON credit.month = cohort.month AND credit.lookback = asked.lookback AND credit.model = asked.model
WHERE coalesce(credit.conversions, 0) <> cohort.customers * 1000000
UNION ALL
SELECT 'credits = value', 0, cohort.day,
       concat('model ', asked.model, ', ', asked.lookback, ' days: ', coalesce(credit.value, 0), ' of ', cohort.value, ' are credited')
FROM cohort
CROSS JOIN asked
LEFT JOIN credit ON credit.month = cohort.month AND credit.lookback = asked.lookback AND credit.model = asked.model
WHERE coalesce(credit.value, 0) <> cohort.value
UNION ALL
SELECT 'months = value', 0, cohort.day, concat(coalesce(brought.revenue, 0), ' is not ', cohort.value)
FROM cohort
LEFT JOIN brought ON brought.month = cohort.month
WHERE coalesce(brought.revenue, 0) <> cohort.value
ORDER BY 1, 2, 3
LIMIT 100

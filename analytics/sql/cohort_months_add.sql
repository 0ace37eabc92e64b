-- Add to what customers of a first month brought in the months after it.
-- Parameters: months (counted from the year 0), laters, revenues (parallel arrays).
-- Index: the primary key.
INSERT INTO analytics_cohortmonth AS kept (month, later, revenue)
SELECT month, later, revenue
FROM unnest(%(months)s::int[], %(laters)s::smallint[], %(revenues)s::bigint[]) AS t (month, later, revenue)
ON CONFLICT (month, later) DO UPDATE SET revenue = kept.revenue + excluded.revenue

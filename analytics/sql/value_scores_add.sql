-- Keep the scores of some customers; those that a killed worker left are replaced. worth: expected revenue within 12, 24 and 36
-- months, minor units; alive, risk: from 0 to 1; each NULL where the data do not tell, and its step 0; renewals: of the
-- contract, NULL without one.
-- Parameters: scoring, customers, alive, risk, worth_12, worth_24, worth_36, alive_step, risk_step, worth_step, silent_days,
-- orders, revenue, rfm, renewals (parallel arrays).
-- Index: the primary key.
INSERT INTO analytics_score AS kept (
    scoring_id, customer_id, alive, risk, worth_12, worth_24, worth_36, alive_step, risk_step, worth_step, silent_days,
    orders, revenue, rfm, renewals
)
SELECT %(scoring)s, *
FROM unnest(%(customers)s::bigint[], %(alive)s::float8[], %(risk)s::float8[], %(worth_12)s::bigint[],
            %(worth_24)s::bigint[], %(worth_36)s::bigint[], %(alive_step)s::smallint[], %(risk_step)s::smallint[],
            %(worth_step)s::smallint[], %(silent_days)s::int[], %(orders)s::int[], %(revenue)s::bigint[],
            %(rfm)s::smallint[], %(renewals)s::int[])
ON CONFLICT (scoring_id, customer_id) DO UPDATE
SET alive = excluded.alive, risk = excluded.risk, worth_12 = excluded.worth_12, worth_24 = excluded.worth_24,
    worth_36 = excluded.worth_36, alive_step = excluded.alive_step, risk_step = excluded.risk_step,
    worth_step = excluded.worth_step, silent_days = excluded.silent_days, orders = excluded.orders,
    revenue = excluded.revenue, rfm = excluded.rfm,
    renewals = excluded.renewals

-- The stages of model `seven` at the instants of touchpoints only, as far as window functions can say them: what ends by
-- time alone is not seen, and a day counts where its first touchpoint lies. One row: how many changes of stage there are.
-- The same text runs in DuckDB, ClickHouse and PostgreSQL. Reads events(owner, instant, day, role, amount),
-- instant in whole seconds: frames of more milliseconds than fit 32 bits are refused by one of them.
WITH known AS (
    SELECT owner, instant,
           max(CASE WHEN role IN ('signup', 'subscribe', 'upgrade', 'purchase', 'refund') THEN 1 ELSE 0 END) OVER past AS acquired,
           max(CASE WHEN role NOT IN ('exposure', 'cancel', 'refund', 'other') THEN instant ELSE 0 END) OVER past AS active_at,
           max(CASE WHEN role = 'cancel' THEN instant ELSE 0 END) OVER past AS cancel_at,
           max(CASE WHEN role IN ('signup', 'subscribe', 'upgrade', 'purchase') THEN instant ELSE 0 END) OVER past AS start_at,
           max(CASE WHEN role = 'subscribe' THEN instant ELSE 0 END) OVER past AS subscribe_at,
           max(CASE WHEN role IN ('onboarding', 'usage') THEN instant ELSE 0 END) OVER past AS guided_at,
           max(CASE WHEN role = 'usage' THEN instant ELSE 0 END) OVER past AS usage_at,
           max(CASE WHEN role = 'upgrade' THEN instant ELSE 0 END) OVER past AS upgrade_at,
           max(CASE WHEN role IN ('referral', 'share') THEN instant ELSE 0 END) OVER past AS advocate_at,
           min(instant) OVER past AS life,
           CASE WHEN role = 'usage' AND day > max(CASE WHEN role = 'usage' THEN day ELSE 0 END) OVER before
                THEN 1 ELSE 0 END AS usage_day,
           CASE WHEN role = 'purchase' AND day > max(CASE WHEN role = 'purchase' THEN day ELSE 0 END) OVER before
                THEN 1 ELSE 0 END AS purchase_day,
           CASE WHEN role IN ('visit', 'usage', 'cart', 'checkout', 'purchase', 'review', 'share')
                     AND day > max(CASE WHEN role IN ('visit', 'usage', 'cart', 'checkout', 'purchase', 'review', 'share')
                                        THEN day ELSE 0 END) OVER before
                THEN 1 ELSE 0 END AS engaged_day,
           CASE WHEN role IN ('purchase', 'refund') THEN amount ELSE 0 END AS spent
    FROM events
    WINDOW past AS (PARTITION BY owner ORDER BY instant),
           before AS (PARTITION BY owner ORDER BY instant ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), counted AS (
    SELECT owner, instant, life, acquired, guided_at, usage_at, upgrade_at, advocate_at,
           CASE WHEN acquired = 1 AND active_at > instant - 15552000 AND cancel_at <= start_at THEN 1 ELSE 0 END AS alive,
           CASE WHEN subscribe_at > cancel_at THEN 1 ELSE 0 END AS subscribed,
           sum(purchase_day) OVER (PARTITION BY owner ORDER BY instant) AS purchase_days,
           sum(usage_day) OVER half_year AS usage_days,
           sum(purchase_day) OVER half_year AS recent_purchase_days,
           sum(engaged_day) OVER four_weeks AS engaged_days,
           sum(spent) OVER half_year AS spent_now,
           sum(spent) OVER year AS spent_both
    FROM known
    WINDOW half_year AS (PARTITION BY owner ORDER BY instant RANGE BETWEEN 15551999 PRECEDING AND CURRENT ROW),
           year AS (PARTITION BY owner ORDER BY instant RANGE BETWEEN 31103999 PRECEDING AND CURRENT ROW),
           four_weeks AS (PARTITION BY owner ORDER BY instant RANGE BETWEEN 2419199 PRECEDING AND CURRENT ROW)
), begun AS (
    SELECT owner, instant, life, acquired, guided_at, usage_at, upgrade_at, advocate_at, alive, subscribed, purchase_days,
           usage_days, recent_purchase_days, engaged_days, spent_now, spent_both,
           max(CASE WHEN alive = 0 THEN instant ELSE 0 END) OVER past AS dead_at,
           max(CASE WHEN subscribed = 0 THEN instant ELSE 0 END) OVER past AS unsubscribed_at
    FROM counted
    WINDOW past AS (PARTITION BY owner ORDER BY instant)
), held AS (
    SELECT owner, instant, life, acquired, guided_at, usage_at, upgrade_at, advocate_at, alive, subscribed, purchase_days,
           usage_days, recent_purchase_days, engaged_days, spent_now, spent_both,
           min(instant) OVER (PARTITION BY owner, dead_at ORDER BY instant) AS alive_since,
           min(instant) OVER (PARTITION BY owner, unsubscribed_at ORDER BY instant) AS subscribed_since
    FROM begun
), lasting AS (
    SELECT owner, instant, acquired, guided_at, upgrade_at, advocate_at, alive, subscribed, purchase_days, engaged_days,
           alive_since, subscribed_since,
           max(CASE WHEN alive = 1 AND instant - alive_since >= 7776000 AND usage_days >= 2 AND usage_at > instant - 5184000
                    THEN instant ELSE 0 END) OVER past AS steady_at,
           max(CASE WHEN recent_purchase_days >= 3 AND spent_both > spent_now AND instant >= life + 31104000
                         AND 4 * spent_now >= 5 * (spent_both - spent_now)
                    THEN instant ELSE 0 END) OVER past AS growing_at
    FROM held
    WINDOW past AS (PARTITION BY owner ORDER BY instant)
), staged AS (
    SELECT owner, instant,
           CASE WHEN alive = 1 AND advocate_at > instant - 31536000 THEN 8
                WHEN alive = 1 AND (upgrade_at > instant - 7776000 OR growing_at > instant - 2592000) THEN 7
                WHEN alive = 1 AND (purchase_days >= 2 OR (subscribed = 1 AND instant - subscribed_since >= 7776000)
                                    OR steady_at > instant - 15552000) THEN 6
                WHEN alive = 1 AND engaged_days >= 3 THEN 5
                WHEN alive = 1 AND guided_at > instant - 2592000 AND instant - alive_since < 2592000 THEN 4
                WHEN alive = 1 THEN 3
                WHEN acquired = 1 THEN 2
                ELSE 1 END AS stage
    FROM lasting
), stepped AS (
    SELECT stage, lag(stage) OVER (PARTITION BY owner ORDER BY instant) AS earlier FROM staged
)
SELECT count(*) FROM stepped WHERE earlier IS NULL OR earlier <> stage

-- What became of customers by when they began: their cohort is the place of their first touchpoint of some types among
-- some borders. One row: cohort (1-based), offset (how many borders later; NULL: the cohort itself), customers with an
-- order there (of the cohort itself: all), customers with their last order there, revenue (net of refunds at their own
-- date, minor units), and who they are: with an order there, or, `after`, there or later, of the one cell listed.
-- Parameters: beginnings (type ids that begin; NULL: any touchpoint), priced (only touchpoints with an amount above zero
-- begin), entered, entered_in (instead of touchpoints the first entry into this stage of a segment's version begins; NULL:
-- touchpoints do), borders (ascending instants; cohort n is [border n,
-- border n+1)), purchases, refunds (type ids), products_only (leave lines that are not products out of the amounts),
-- listed_cohort, listed_offset (the cell whose customers are listed; offset NULL: the cohort itself; cohort NULL: none),
-- after, segment, segment_in, as_of (only customers in that segment at as_of; segment NULL: all; and only what happened
-- until then).
-- Indexes: touchpoint_replay, index-only, and the profile's customer; the order line's touchpoint if products_only;
-- customer_enters_one_stage_at_an_instant.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), beginning AS (
    SELECT profile.customer_id, min(touchpoint.occurred_at) AS at
    FROM customers_touchpoint AS touchpoint
    JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
    WHERE %(entered)s::int IS NULL AND touchpoint.occurred_at <= %(as_of)s
      AND (%(beginnings)s::int[] IS NULL OR touchpoint.type_id = ANY(%(beginnings)s::int[]))
      AND (NOT %(priced)s::bool OR touchpoint.amount > 0)
      AND (%(segment)s::int IS NULL OR profile.customer_id IN (SELECT customer_id FROM member))
    GROUP BY profile.customer_id
    UNION ALL
    SELECT customer_id, min(entered_at)
    FROM lifecycle_transition
    WHERE version_id = %(entered)s AND stage_id = %(entered_in)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
      AND (%(segment)s::int IS NULL OR customer_id IN (SELECT customer_id FROM member))
    GROUP BY customer_id
), cohort AS MATERIALIZED (
    SELECT customer_id, at, width_bucket(at, %(borders)s::timestamptz[]) AS place
    FROM beginning
    WHERE at >= (%(borders)s::timestamptz[])[1]
), sale AS (
    SELECT cohort.customer_id, cohort.place,
           width_bucket(touchpoint.occurred_at, %(borders)s::timestamptz[]) - cohort.place AS later,
           touchpoint.type_id = ANY(%(purchases)s::int[]) AS is_purchase,
           coalesce(touchpoint.amount, 0) - CASE WHEN %(products_only)s::bool THEN coalesce((
               SELECT sum(line.amount)::bigint
               FROM customers_orderline AS line
               WHERE line.touchpoint_id = touchpoint.id AND NOT line.is_product
           ), 0) ELSE 0 END AS amount
    FROM cohort
    JOIN customers_profile AS profile ON profile.customer_id = cohort.customer_id
    JOIN customers_touchpoint AS touchpoint ON touchpoint.profile_id = profile.id
    WHERE touchpoint.type_id = ANY(%(purchases)s::int[] || %(refunds)s::int[])
      AND touchpoint.occurred_at >= cohort.at AND touchpoint.occurred_at <= %(as_of)s
), seen AS (
    SELECT customer_id, place, later, sum(amount)::bigint AS revenue,
           bool_or(is_purchase AND amount > 0) AS ordered
    FROM sale
    GROUP BY customer_id, place, later
), told AS (
    SELECT *, ordered AND later = max(later) FILTER (WHERE ordered) OVER (PARTITION BY customer_id) AS is_last
    FROM seen
)
SELECT place, NULL::int AS later, count(*) AS customers, 0::bigint AS last, 0::bigint AS revenue,
       array_agg(customer_id) FILTER (
           WHERE place = %(listed_cohort)s::int AND %(listed_offset)s::int IS NULL
       ) AS listed
FROM cohort
GROUP BY place
UNION ALL
SELECT place, later, count(*) FILTER (WHERE ordered), count(*) FILTER (WHERE is_last), sum(revenue)::bigint,
       array_agg(customer_id) FILTER (
           WHERE place = %(listed_cohort)s::int
             AND CASE WHEN %(after)s::bool THEN is_last AND later >= %(listed_offset)s::int
                      ELSE ordered AND later = %(listed_offset)s::int END
       )
FROM told
GROUP BY place, later

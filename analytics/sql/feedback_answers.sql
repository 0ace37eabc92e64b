-- What customers answered when they were asked: the last answer of each customer in each of some periods. One row per
-- period (number, 1-based), kind (nps, csat, ces), score and stage (of the customer at the time of the answer; 0: in none,
-- NULL in all periods but the first): customers, and who they are (NULL unless listed). A row whose score is NULL counts
-- answers of the first period that lie off the scale, and nobody is counted by them.
-- An answer is a touchpoint of some types with a whole JSON number under nps (0 to 10), csat (1 to 5) or ces (1 to 7).
-- Parameters: feedback (type ids), starts, untils (parallel arrays), version (of the stage model), listed_kind,
-- listed_scores (NULL: any), listed_stage (NULL: any; whose customers of the first period are listed; kind NULL: none),
-- segment, segment_in, as_of (only customers in that segment at as_of; segment NULL: all).
-- Indexes: touchpoint_told, and customer_enters_one_stage_at_an_instant, index-only.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), asked AS (
    SELECT * FROM unnest(%(starts)s::timestamptz[], %(untils)s::timestamptz[])
        WITH ORDINALITY AS period (start_at, until_at, number)
), answer AS MATERIALIZED (
    SELECT touchpoint.id, profile.customer_id, touchpoint.occurred_at, survey.kind,
           CASE WHEN jsonb_typeof(survey.said) = 'number'
                 AND (survey.said #>> '{}')::numeric BETWEEN survey.low AND survey.high
                 AND (survey.said #>> '{}')::numeric %% 1 = 0
                THEN (survey.said #>> '{}')::numeric::int END AS score
    FROM customers_touchpoint AS touchpoint
    JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
    CROSS JOIN LATERAL (VALUES
        ('nps', touchpoint.properties -> 'nps', 0, 10),
        ('csat', touchpoint.properties -> 'csat', 1, 5),
        ('ces', touchpoint.properties -> 'ces', 1, 7)
    ) AS survey (kind, said, low, high)
    WHERE touchpoint.properties ?| '{nps,csat,ces,survey,ticket_ref,ticket_id}'::text[]
      AND touchpoint.type_id = ANY(%(feedback)s::int[])
      AND touchpoint.occurred_at >= (SELECT min(start_at) FROM asked)
      AND touchpoint.occurred_at < (SELECT max(until_at) FROM asked)
      AND survey.said IS NOT NULL AND jsonb_typeof(survey.said) <> 'null'
      AND (%(segment)s::int IS NULL OR profile.customer_id IN (SELECT customer_id FROM member))
), latest AS MATERIALIZED (
    SELECT DISTINCT ON (asked.number, answer.kind, answer.customer_id)
           asked.number, answer.kind, answer.customer_id, answer.score, answer.occurred_at
    FROM asked
    JOIN answer ON answer.occurred_at >= asked.start_at AND answer.occurred_at < asked.until_at
    WHERE answer.score IS NOT NULL
    ORDER BY asked.number, answer.kind, answer.customer_id, answer.occurred_at DESC, answer.id DESC
), placed AS (
    SELECT latest.*, CASE WHEN latest.number = 1 THEN coalesce(spell.stage_id, 0) END AS stage
    FROM latest
    LEFT JOIN LATERAL (
        SELECT stage_id
        FROM lifecycle_transition
        WHERE latest.number = 1 AND customer_id = latest.customer_id AND version_id = %(version)s
          AND superseded_at IS NULL AND entered_at <= latest.occurred_at
        ORDER BY entered_at DESC
        LIMIT 1
    ) AS spell ON true
)
SELECT number, kind, score, stage, count(*) AS customers,
       array_agg(customer_id) FILTER (
           WHERE number = 1 AND kind = %(listed_kind)s::text
             AND (%(listed_scores)s::int[] IS NULL OR score = ANY(%(listed_scores)s::int[]))
             AND (%(listed_stage)s::int IS NULL OR stage = %(listed_stage)s::int)
       ) AS listed
FROM placed
GROUP BY number, kind, score, stage
UNION ALL
SELECT 1, kind, NULL, NULL, count(*), NULL
FROM answer
JOIN asked ON asked.number = 1 AND answer.occurred_at >= asked.start_at AND answer.occurred_at < asked.until_at
WHERE answer.score IS NULL
GROUP BY kind
ORDER BY 1, 2, 3, 4

-- Whom a survey was put to in a period, and who answered it. One row per kind (nps, csat, ces): customers asked, those
-- of them who answered it in the period after they were first asked in it, and the ids of one of the two groups (NULL
-- unless listed). Asking is a touchpoint of some types whose property survey names the kind.
-- Parameters: asking, feedback (type ids), start_at, until_at, listed_kind, listed_group (asked, answered or silent; NULL:
-- none), segment, segment_in, as_of (only customers in that segment at as_of; segment NULL: all).
-- Index: touchpoint_told.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), told AS MATERIALIZED (
    SELECT profile.customer_id, touchpoint.occurred_at, touchpoint.type_id, touchpoint.properties
    FROM customers_touchpoint AS touchpoint
    JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
    WHERE touchpoint.properties ?| '{nps,csat,ces,survey,ticket_ref,ticket_id}'::text[]
      AND touchpoint.type_id = ANY(%(asking)s::int[] || %(feedback)s::int[])
      AND touchpoint.occurred_at >= %(start_at)s AND touchpoint.occurred_at < %(until_at)s
      AND (%(segment)s::int IS NULL OR profile.customer_id IN (SELECT customer_id FROM member))
), asked AS (
    SELECT customer_id, lower(properties ->> 'survey') AS kind, min(occurred_at) AS at
    FROM told
    WHERE type_id = ANY(%(asking)s::int[]) AND lower(properties ->> 'survey') IN ('nps', 'csat', 'ces')
    GROUP BY customer_id, lower(properties ->> 'survey')
), answered AS (
    SELECT told.customer_id, survey.kind, max(told.occurred_at) AS at
    FROM told
    CROSS JOIN LATERAL (VALUES
        ('nps', told.properties -> 'nps', 0, 10),
        ('csat', told.properties -> 'csat', 1, 5),
        ('ces', told.properties -> 'ces', 1, 7)
    ) AS survey (kind, said, low, high)
    WHERE told.type_id = ANY(%(feedback)s::int[])
      AND CASE WHEN jsonb_typeof(survey.said) = 'number'
               THEN (survey.said #>> '{}')::numeric BETWEEN survey.low AND survey.high
                AND (survey.said #>> '{}')::numeric %% 1 = 0
               ELSE false END
    GROUP BY told.customer_id, survey.kind
), customer AS (
    SELECT asked.kind, asked.customer_id, coalesce(answered.at >= asked.at, false) AS has_answered
    FROM asked
    LEFT JOIN answered USING (customer_id, kind)
)
SELECT kind, count(*) AS asked, count(*) FILTER (WHERE has_answered) AS answered,
       array_agg(customer_id) FILTER (
           WHERE kind = %(listed_kind)s::text
             AND CASE %(listed_group)s::text
                 WHEN 'asked' THEN true
                 WHEN 'answered' THEN has_answered
                 WHEN 'silent' THEN NOT has_answered
             END
       ) AS listed
FROM customer
GROUP BY kind
ORDER BY kind

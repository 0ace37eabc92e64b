-- What customers wrote beside a score, newest first: one row per answer of a period that has a comment: the touchpoint, when, the customer,
-- the score, the comment, and the stage at that time (NULL: in none). Every answer of a customer counts here, not only the last one.
-- Parameters: feedback (type ids), kind (nps, csat or ces), scores (the whole numbers that count), start_at, until_at,
-- before_at, before_id (begin below this answer; NULL: at the top), version (of the stage model), most (rows), segment,
-- segment_in, as_of (only customers in that segment at as_of; segment NULL: all).
-- Indexes: touchpoint_told, backwards, and customer_enters_one_stage_at_an_instant.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), answer AS (
    SELECT touchpoint.id, touchpoint.occurred_at, profile.customer_id,
           (touchpoint.properties ->> %(kind)s::text)::numeric::int AS score,
           btrim(touchpoint.properties ->> 'comment') AS comment
    FROM customers_touchpoint AS touchpoint
    JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
    WHERE touchpoint.properties ?| '{nps,csat,ces,survey,ticket_ref,ticket_id}'::text[]
      AND touchpoint.type_id = ANY(%(feedback)s::int[])
      AND touchpoint.occurred_at >= %(start_at)s AND touchpoint.occurred_at < %(until_at)s
      AND (%(before_id)s::bigint IS NULL
           OR (touchpoint.occurred_at, touchpoint.id) < (%(before_at)s::timestamptz, %(before_id)s::bigint))
      AND CASE WHEN jsonb_typeof(touchpoint.properties -> %(kind)s::text) = 'number'
               THEN (touchpoint.properties ->> %(kind)s::text)::numeric = ANY(%(scores)s::int[]) ELSE false END
      AND jsonb_typeof(touchpoint.properties -> 'comment') = 'string'
      AND btrim(touchpoint.properties ->> 'comment') <> ''
      AND (%(segment)s::int IS NULL OR profile.customer_id IN (SELECT customer_id FROM member))
    ORDER BY touchpoint.occurred_at DESC, touchpoint.id DESC
    LIMIT %(most)s
)
SELECT answer.id, answer.occurred_at, answer.customer_id,
       answer.score, answer.comment,
       (SELECT stage_id
        FROM lifecycle_transition
        WHERE customer_id = answer.customer_id AND version_id = %(version)s AND superseded_at IS NULL
          AND entered_at <= answer.occurred_at
        ORDER BY entered_at DESC
        LIMIT 1) AS stage
FROM answer
ORDER BY answer.occurred_at DESC, answer.id DESC

-- What customers answered, and what they were asked, touchpoint by touchpoint in order of time: customer, when, the answers
-- to nps, csat and ces (-1: one that does not lie on the scale, -2: none), and which of them was asked (1, 2, 3; 0: none), of
-- touchpoints of some types in [start_at, until_at). What an answer is, and an asking, feedback_answers.sql and
-- feedback_asked.sql define.
-- Parameters: types (ids), start_at, until_at.
-- Index: touchpoint_told.
SELECT profile.customer_id, touchpoint.occurred_at,
       CASE coalesce(jsonb_typeof(touchpoint.properties -> 'nps'), 'null')
           WHEN 'null' THEN -2
           WHEN 'number' THEN CASE WHEN (touchpoint.properties ->> 'nps')::numeric BETWEEN 0 AND 10 AND (touchpoint.properties ->> 'nps')::numeric %% 1 = 0
                                   THEN (touchpoint.properties ->> 'nps')::numeric::int ELSE -1 END
           ELSE -1
       END::smallint,
       CASE coalesce(jsonb_typeof(touchpoint.properties -> 'csat'), 'null')
           WHEN 'null' THEN -2
           WHEN 'number' THEN CASE WHEN (touchpoint.properties ->> 'csat')::numeric BETWEEN 1 AND 5 AND (touchpoint.properties ->> 'csat')::numeric %% 1 = 0
                                   THEN (touchpoint.properties ->> 'csat')::numeric::int ELSE -1 END
           ELSE -1
       END::smallint,
       CASE coalesce(jsonb_typeof(touchpoint.properties -> 'ces'), 'null')
           WHEN 'null' THEN -2
           WHEN 'number' THEN CASE WHEN (touchpoint.properties ->> 'ces')::numeric BETWEEN 1 AND 7 AND (touchpoint.properties ->> 'ces')::numeric %% 1 = 0
                                   THEN (touchpoint.properties ->> 'ces')::numeric::int ELSE -1 END
           ELSE -1
       END::smallint,
       CASE lower(touchpoint.properties ->> 'survey') WHEN 'nps' THEN 1 WHEN 'csat' THEN 2 WHEN 'ces' THEN 3 ELSE 0 END::smallint
FROM customers_touchpoint AS touchpoint
JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
WHERE touchpoint.properties ?| '{nps,csat,ces,survey,ticket_ref,ticket_id}'::text[]
  AND touchpoint.type_id = ANY(%(types)s::int[])
  AND touchpoint.occurred_at >= %(start_at)s AND touchpoint.occurred_at < %(until_at)s
ORDER BY touchpoint.occurred_at, touchpoint.id

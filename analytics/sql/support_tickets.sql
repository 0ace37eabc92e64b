-- Tickets that customers opened in a period, and what became of them until as_of. One row per ticket (a customer and a
-- reference): customer, when it was opened first, when it was answered first (by a reply, or by being resolved without
-- one), when it was resolved first, when it was opened last, when it was resolved last (NULL: not by as_of), the reason that its
-- first opening gives (NULL: none), and the reference.
-- An event of a ticket is a touchpoint of some types with a reference (ticket_ref, else ticket_id) and a property event:
-- opened, replied, resolved or reopened; without one, the names Ticket Opened, Replied and Resolved say it.
-- Parameters: support (type ids), start_at, until_at, until_known (what happened until then counts), segment, segment_in,
-- as_of (only customers in that segment at as_of; segment NULL: all).
-- Indexes: touchpoint_told from the period on; of who opened a ticket in it touchpoint_replay, whether it was opened before:
-- index-only for when they asked anything earlier, then the rows of these instants alone. No step joins tickets with
-- events: of 40,000 tickets PostgreSQL took that for some, and compared each with each.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), said AS MATERIALIZED (
    SELECT profile.customer_id, touchpoint.id, touchpoint.occurred_at AS at,
           coalesce(nullif(touchpoint.properties ->> 'ticket_ref', ''), touchpoint.properties ->> 'ticket_id') AS ref,
           lower(coalesce(
               touchpoint.properties ->> 'event',
               CASE type.name WHEN 'Ticket Opened' THEN 'opened' WHEN 'Ticket Replied' THEN 'replied'
                              WHEN 'Ticket Resolved' THEN 'resolved' END
           )) AS event,
           coalesce(
               nullif(btrim(touchpoint.properties ->> 'reason'), ''), nullif(btrim(touchpoint.properties ->> 'subject'), '')
           ) AS reason
    FROM customers_touchpoint AS touchpoint
    JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
    JOIN customers_touchpointtype AS type ON type.id = touchpoint.type_id
    WHERE touchpoint.properties ?| '{nps,csat,ces,survey,ticket_ref,ticket_id}'::text[]
      AND touchpoint.properties ?| '{ticket_ref,ticket_id}'::text[]
      AND touchpoint.type_id = ANY(%(support)s::int[])
      AND touchpoint.occurred_at >= %(start_at)s AND touchpoint.occurred_at <= %(until_known)s
      AND (%(segment)s::int IS NULL OR profile.customer_id IN (SELECT customer_id FROM member))
), placed AS MATERIALIZED (
    SELECT said.*, min(at) FILTER (WHERE event = 'opened') OVER (PARTITION BY customer_id, ref) AS opened_at
    FROM said
    WHERE ref <> ''
), asker AS MATERIALIZED (
    SELECT DISTINCT customer_id FROM placed WHERE opened_at < %(until_at)s
), earlier AS MATERIALIZED (
    SELECT asker.customer_id,
           coalesce(nullif(before.properties ->> 'ticket_ref', ''), before.properties ->> 'ticket_id') AS ref
    FROM asker
    JOIN customers_profile AS profile ON profile.customer_id = asker.customer_id
    CROSS JOIN LATERAL (
        SELECT DISTINCT asked.occurred_at
        FROM customers_touchpoint AS asked
        WHERE asked.profile_id = profile.id AND asked.type_id = ANY(%(support)s::int[])
          AND asked.occurred_at < %(start_at)s
        OFFSET 0
    ) AS moment
    CROSS JOIN LATERAL (
        SELECT touchpoint.properties, touchpoint.type_id
        FROM customers_touchpoint AS touchpoint
        WHERE touchpoint.profile_id = profile.id AND touchpoint.occurred_at = moment.occurred_at
          AND touchpoint.type_id = ANY(%(support)s::int[])
          AND touchpoint.properties ?| '{ticket_ref,ticket_id}'::text[]
        OFFSET 0
    ) AS before
    WHERE lower(coalesce(
        before.properties ->> 'event',
        CASE WHEN before.type_id IN (SELECT id FROM customers_touchpointtype WHERE name = 'Ticket Opened') THEN 'opened' END
    )) = 'opened'
)
SELECT customer_id, opened_at,
       min(at) FILTER (WHERE event IN ('replied', 'resolved') AND at >= opened_at) AS answered_at,
       min(at) FILTER (WHERE event = 'resolved' AND at >= opened_at) AS resolved_at,
       max(at) FILTER (WHERE event IN ('opened', 'reopened')) AS opened_last_at,
       max(at) FILTER (WHERE event = 'resolved') AS resolved_last_at,
       left((array_agg(reason ORDER BY at, id) FILTER (WHERE event = 'opened'))[1], 100) AS reason, ref
FROM placed
WHERE opened_at < %(until_at)s
  AND (customer_id, ref) NOT IN (SELECT customer_id, ref FROM earlier WHERE ref IS NOT NULL)
GROUP BY customer_id, ref, opened_at
ORDER BY opened_at, customer_id, ref

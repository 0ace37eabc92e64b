-- Tickets that customers opened in a period, and what became of them until as_of. One row per ticket (a customer and a
-- reference): customer, when it was opened first, when it was answered first (by a reply, or by being resolved without
-- one), when it was resolved first, when it was opened last, when it was resolved last (NULL: not by as_of), and the reason that its
-- first opening gives (NULL: none).
-- An event of a ticket is a touchpoint of some types with a reference (ticket_ref, else ticket_id) and a property event:
-- opened, replied, resolved or reopened; without one, the names Ticket Opened, Replied and Resolved say it.
-- Parameters: support (type ids), start_at, until_at, until_known (what happened until then counts), segment, segment_in,
-- as_of (only customers in that segment at as_of; segment NULL: all).
-- Indexes: touchpoint_told for the period; touchpoint_replay for the rest of what those customers asked: index-only for
-- when they asked anything, then the rows of these instants alone.
WITH member AS MATERIALIZED (
    SELECT customer_id
    FROM (
        SELECT DISTINCT ON (customer_id) customer_id, stage_id
        FROM lifecycle_transition
        WHERE version_id = %(segment)s AND superseded_at IS NULL AND entered_at <= %(as_of)s
        ORDER BY customer_id, entered_at DESC
    ) AS latest
    WHERE stage_id = %(segment_in)s
), contacted AS MATERIALIZED (
    SELECT DISTINCT profile.customer_id
    FROM customers_touchpoint AS touchpoint
    JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id
    WHERE touchpoint.properties ?| '{nps,csat,ces,survey,ticket_ref,ticket_id}'::text[]
      AND touchpoint.properties ?| '{ticket_ref,ticket_id}'::text[]
      AND touchpoint.type_id = ANY(%(support)s::int[])
      AND touchpoint.occurred_at >= %(start_at)s AND touchpoint.occurred_at < %(until_at)s
      AND (%(segment)s::int IS NULL OR profile.customer_id IN (SELECT customer_id FROM member))
), happened AS (
    SELECT contacted.customer_id, touchpoint.id, touchpoint.occurred_at AS at,
           coalesce(nullif(touchpoint.properties ->> 'ticket_ref', ''), touchpoint.properties ->> 'ticket_id') AS ref,
           lower(coalesce(
               touchpoint.properties ->> 'event',
               CASE type.name WHEN 'Ticket Opened' THEN 'opened' WHEN 'Ticket Replied' THEN 'replied'
                              WHEN 'Ticket Resolved' THEN 'resolved' END
           )) AS event,
           coalesce(
               nullif(btrim(touchpoint.properties ->> 'reason'), ''), nullif(btrim(touchpoint.properties ->> 'subject'), '')
           ) AS reason
    FROM contacted
    JOIN customers_profile AS profile ON profile.customer_id = contacted.customer_id
    CROSS JOIN LATERAL (
        SELECT DISTINCT asked.occurred_at
        FROM customers_touchpoint AS asked
        WHERE asked.profile_id = profile.id AND asked.type_id = ANY(%(support)s::int[])
          AND asked.occurred_at <= %(until_known)s
        OFFSET 0
    ) AS moment
    JOIN customers_touchpoint AS touchpoint
        ON touchpoint.profile_id = profile.id AND touchpoint.occurred_at = moment.occurred_at
    JOIN customers_touchpointtype AS type ON type.id = touchpoint.type_id
    WHERE touchpoint.type_id = ANY(%(support)s::int[])
      AND touchpoint.properties ?| '{ticket_ref,ticket_id}'::text[]
), ticket AS (
    SELECT customer_id, ref,
           min(at) FILTER (WHERE event = 'opened') AS opened_at,
           max(at) FILTER (WHERE event IN ('opened', 'reopened')) AS opened_last_at,
           max(at) FILTER (WHERE event = 'resolved') AS resolved_last_at,
           (array_agg(reason ORDER BY at, id) FILTER (WHERE event = 'opened'))[1] AS reason
    FROM happened
    WHERE ref <> ''
    GROUP BY customer_id, ref
), opened AS (
    SELECT * FROM ticket WHERE opened_at >= %(start_at)s AND opened_at < %(until_at)s
)
SELECT opened.customer_id, opened.opened_at,
       min(happened.at) FILTER (WHERE happened.event IN ('replied', 'resolved')) AS answered_at,
       min(happened.at) FILTER (WHERE happened.event = 'resolved') AS resolved_at,
       opened.opened_last_at, opened.resolved_last_at, left(opened.reason, 100) AS reason
FROM opened
JOIN happened ON happened.customer_id = opened.customer_id AND happened.ref = opened.ref AND happened.at >= opened.opened_at
GROUP BY opened.customer_id, opened.ref, opened.opened_at, opened.opened_last_at, opened.resolved_last_at, opened.reason
ORDER BY opened.opened_at, opened.customer_id, opened.ref

-- Tell what the scores of a range of customers are from an instant on: a row of steps for every profile of whom something
-- else was told last (0 where nothing was), and a Stale row where that is so of a named score. Profiles without names and
-- those that changed hands since are left out. One row: how many rows of steps and how many Stale rows were added.
-- Parameters: first, until (customer ids, half-open), customers, causes, alive, risk, worth, recency, frequency, monetary
-- (parallel arrays: steps of those who have scores), named (names of scores), since, cause (of those who have none), at.
-- Indexes: the profile's customer, profile_move_of_profile, the primary key of steps.
WITH scored AS MATERIALIZED (
    SELECT *
    FROM unnest(%(customers)s::bigint[], %(causes)s::smallint[], %(alive)s::smallint[], %(risk)s::smallint[],
                %(worth)s::smallint[], %(recency)s::smallint[], %(frequency)s::smallint[], %(monetary)s::smallint[])
         AS told (customer, cause, alive, risk, worth, recency, frequency, monetary)
), person AS MATERIALIZED (
    SELECT profile.id AS profile, coalesce(scored.cause, %(cause)s::smallint) AS cause,
           coalesce(scored.alive, 0) AS alive, coalesce(scored.risk, 0) AS risk, coalesce(scored.worth, 0) AS worth,
           coalesce(scored.recency, 0) AS recency, coalesce(scored.frequency, 0) AS frequency,
           coalesce(scored.monetary, 0) AS monetary
    FROM customers_profile AS profile
    LEFT JOIN scored ON scored.customer = profile.customer_id
    WHERE profile.customer_id >= %(first)s AND profile.customer_id < %(until)s AND profile.erasure_id IS NULL
      AND NOT EXISTS (
          SELECT FROM customers_profilemove AS moved WHERE moved.profile_id = profile.id AND moved.at > %(since)s
      )
), changed AS MATERIALIZED (
    SELECT person.*, coalesce(was.alive, 0) AS was_alive, coalesce(was.risk, 0) AS was_risk,
           coalesce(was.worth, 0) AS was_worth, coalesce(was.recency, 0) AS was_recency,
           coalesce(was.frequency, 0) AS was_frequency, coalesce(was.monetary, 0) AS was_monetary
    FROM person
    LEFT JOIN LATERAL (
        SELECT step.*
        FROM customers_scorestep AS step
        WHERE step.profile_id = person.profile
        ORDER BY step.set_at DESC
        LIMIT 1
    ) AS was ON true
    WHERE (person.alive, person.risk, person.worth, person.recency, person.frequency, person.monetary)
          IS DISTINCT FROM
          (coalesce(was.alive, 0), coalesce(was.risk, 0), coalesce(was.worth, 0), coalesce(was.recency, 0),
           coalesce(was.frequency, 0), coalesce(was.monetary, 0))
), added AS (
    INSERT INTO customers_scorestep (profile_id, set_at, alive, risk, worth, recency, frequency, monetary)
    SELECT profile, %(at)s::timestamptz, alive, risk, worth, recency, frequency, monetary
    FROM changed
    ORDER BY profile
    RETURNING 1
), stale AS (
    INSERT INTO customers_stale (profile_id, cause, attempts)
    SELECT profile, cause, 0
    FROM changed
    WHERE (alive <> was_alive AND 'alive' = ANY(%(named)s::text[]))
       OR (risk <> was_risk AND 'risk' = ANY(%(named)s::text[]))
       OR (worth <> was_worth AND 'worth' = ANY(%(named)s::text[]))
       OR (recency <> was_recency AND 'recency' = ANY(%(named)s::text[]))
       OR (frequency <> was_frequency AND 'frequency' = ANY(%(named)s::text[]))
       OR (monetary <> was_monetary AND 'monetary' = ANY(%(named)s::text[]))
    ORDER BY profile
    RETURNING 1
)
SELECT (SELECT count(*) FROM added), (SELECT count(*) FROM stale)

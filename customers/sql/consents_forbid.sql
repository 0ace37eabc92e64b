-- What some messages forbid, as statements of consent about addresses: of the address that a message names, else of every
-- address its person is recognised by. What was forbidden at that instant already, as strictly or more so, is not stated
-- again. Profile and instant are those of the touchpoint that is stored under the message: the first stored wins.
-- One row: the id of a new statement.
-- Parameters: source, told (JSON array of records: message_hash, address or "", state, said_by, place).
-- Indexes: message_is_stored_once, customers_identity_profile_id, consent_of_address.
WITH told AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(told)s::jsonb) AS t (
        message_hash uuid, address text, state text, said_by text, place int
    )
), stored AS MATERIALIZED (
    SELECT told.address, told.state, told.said_by, told.place, touchpoint.profile_id AS profile,
           touchpoint.occurred_at AS at
    FROM told
    JOIN customers_touchpoint AS touchpoint
        ON touchpoint.source_id = %(source)s AND touchpoint.message_hash = told.message_hash
    JOIN customers_profile AS profile ON profile.id = touchpoint.profile_id AND profile.erasure_id IS NULL
), spoken AS MATERIALIZED (
    SELECT profile, address, state, said_by, place, at FROM stored WHERE address <> ''
    UNION ALL
    SELECT stored.profile, identity.value, stored.state, stored.said_by, stored.place, stored.at
    FROM stored
    JOIN customers_identity AS identity ON identity.profile_id = stored.profile AND identity.kind = 'email'
    WHERE stored.address = ''
), said AS (
    SELECT known.profile_id AS profile, lower(known.address) AS folded, known.address, known.state, '' AS said_by,
           known.at, 0 AS is_new, known.id AS place
    FROM (SELECT DISTINCT profile, address FROM spoken) AS asked
    JOIN customers_consent AS known
        ON lower(known.address) = asked.address AND known.channel = 'email' AND known.purpose = 'marketing'
       AND known.profile_id = asked.profile
    UNION ALL
    SELECT profile, address, address, state, said_by, at, 1, place FROM spoken
), judged AS (
    SELECT said.*, lag(state) OVER (PARTITION BY profile, folded ORDER BY at, is_new, place) AS before FROM said
)
INSERT INTO customers_consent (profile_id, address, channel, purpose, state, source, text_version, at, recorded_at)
SELECT profile, address, 'email', 'marketing', state, said_by, '', at, clock_timestamp()
FROM judged
WHERE is_new = 1 AND NOT coalesce(before = 'refused' OR before = state, false)
ORDER BY profile, at, place
RETURNING id

-- Accounts as they were told of last, and who belongs to them. Whoever belongs to an account already does not begin
-- again; one that is told of an earlier instant belongs from then on. An account that is told nothing new is not touched.
-- One row for each known account that was told something new: account, its name before, the name that was told ("" for
-- none), of the properties that were told the values before, and what was told.
-- Parameters: told (JSON array of records, see receiving/accounts.py).
-- Index: the key of an account, customers_affiliation_profile_id.
WITH told AS MATERIALIZED (
    SELECT profile, key, name, properties, least(at, clock_timestamp()) AS at, place
    FROM jsonb_to_recordset(%(told)s::jsonb) AS t (
        profile bigint, key text, name text, properties jsonb, at timestamptz, place int
    )
), latest AS (
    SELECT DISTINCT ON (key) key, name, properties FROM told ORDER BY key, at DESC, place DESC
), news AS MATERIALIZED (
    SELECT latest.key, latest.name, latest.properties, known.id AS known, known.name AS name_before,
           known.properties AS before,
           known.id IS NULL OR known.name <> coalesce(nullif(latest.name, ''), known.name)
           OR known.properties <> known.properties || latest.properties AS is_new
    FROM latest
    LEFT JOIN customers_account AS known ON known.key = latest.key
), account AS (
    INSERT INTO customers_account (key, name, properties, created_at)
    SELECT key, name, properties, clock_timestamp() FROM news WHERE is_new ORDER BY key
    ON CONFLICT (key) DO UPDATE
    SET name = coalesce(nullif(excluded.name, ''), customers_account.name),
        properties = customers_account.properties || excluded.properties
    RETURNING id, key
), belongs AS (
    SELECT told.profile, either.id AS account, min(told.at) AS at
    FROM told
    JOIN (SELECT id, key FROM account UNION SELECT known, key FROM news WHERE known IS NOT NULL) AS either
        ON either.key = told.key
    GROUP BY told.profile, either.id
), added AS (
    INSERT INTO customers_affiliation (profile_id, account_id, from_at)
    SELECT belongs.profile, belongs.account, belongs.at
    FROM belongs
    WHERE NOT EXISTS (
        SELECT FROM customers_affiliation AS known
        WHERE known.profile_id = belongs.profile AND known.account_id = belongs.account
          AND (known.until_at IS NULL OR known.until_at > belongs.at)
    )
    ORDER BY belongs.profile, belongs.account
    ON CONFLICT (profile_id, account_id, from_at) DO NOTHING
)
SELECT known, name_before, name,
       (SELECT coalesce(jsonb_object_agg(told.key, before -> told.key), '{}')
        FROM jsonb_object_keys(properties) AS told (key) WHERE before ? told.key)::text,
       properties::text
FROM news
WHERE is_new AND known IS NOT NULL
ORDER BY known

-- Accounts as they were told of last, and who belongs to them. Whoever belongs to an account already does not begin
-- again; one that is told of an earlier instant belongs from then on. No row.
-- Parameters: told (JSON array of records, see receiving/accounts.py).
-- Index: the key of an account, customers_affiliation_profile_id.
WITH told AS MATERIALIZED (
    SELECT profile, key, name, properties, least(at, clock_timestamp()) AS at, place
    FROM jsonb_to_recordset(%(told)s::jsonb) AS t (
        profile bigint, key text, name text, properties jsonb, at timestamptz, place int
    )
), latest AS (
    SELECT DISTINCT ON (key) key, name, properties FROM told ORDER BY key, at DESC, place DESC
), account AS (
    INSERT INTO customers_account (key, name, properties, created_at)
    SELECT key, name, properties, clock_timestamp() FROM latest ORDER BY key
    ON CONFLICT (key) DO UPDATE
    SET name = coalesce(nullif(excluded.name, ''), customers_account.name),
        properties = customers_account.properties || excluded.properties
    RETURNING id, key
), belongs AS (
    SELECT told.profile, account.id AS account, min(told.at) AS at
    FROM told JOIN account ON account.key = told.key
    GROUP BY told.profile, account.id
)
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

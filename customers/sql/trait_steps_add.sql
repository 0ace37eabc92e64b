-- Store steps of traits that have none. No row.
-- Parameters: steps (JSON array of records, see importing/undo.py), now.  Index: trait_has_one_value_at_an_instant.
INSERT INTO customers_trait (profile_id, key, value, set_at, last_seen_at, recorded_at)
SELECT profile, key, value, set_at, last_seen_at, %(now)s
FROM jsonb_to_recordset(%(steps)s::jsonb) AS t (
    profile bigint, key text, value jsonb, set_at timestamptz, last_seen_at timestamptz
)
ORDER BY profile, key, set_at
